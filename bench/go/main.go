// What one writes in Go: client-go, aws-lambda-go and the AWS SDK.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	k8stypes "k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"
	typed "k8s.io/client-go/kubernetes/typed/apps/v1"
	"k8s.io/client-go/rest"
)

const (
	namespace = "default"
	parameter = "k8s-bear-token"
	patience  = 15 * time.Minute
)

type request struct {
	Deployment string            `json:"deployment"`
	Images     map[string]string `json:"images"`
}

type function struct {
	parameters *ssm.Client
	pipeline   *codepipeline.Client
	// Kept from job to job, for its connections; made anew where the token changed.
	cluster *kubernetes.Clientset
	token   string
}

func main() {
	settings, err := config.LoadDefaultConfig(context.Background())
	if err != nil {
		panic(err)
	}
	f := &function{parameters: ssm.NewFromConfig(settings), pipeline: codepipeline.NewFromConfig(settings)}
	lambda.Start(f.handle)
}

func (f *function) handle(ctx context.Context, event events.CodePipelineJobEvent) error {
	job := event.CodePipelineJob.ID
	action := event.CodePipelineJob.Data.ActionConfiguration
	summary, err := f.deploy(ctx, action.Configuration.UserParameters)
	if err != nil {
		message := err.Error()
		_, err = f.pipeline.PutJobFailureResult(ctx, &codepipeline.PutJobFailureResultInput{
			JobId: &job,
			FailureDetails: &types.FailureDetails{
				Type:    types.FailureTypeJobFailed,
				Message: aws.String(message[:min(len(message), 5000)]),
			},
		})
		return err
	}
	_, err = f.pipeline.PutJobSuccessResult(ctx, &codepipeline.PutJobSuccessResultInput{
		JobId:            &job,
		ExecutionDetails: &types.ExecutionDetails{Summary: &summary, PercentComplete: aws.Int32(100)},
	})
	return err
}

func (f *function) deploy(ctx context.Context, parameters string) (string, error) {
	var request request
	if err := json.Unmarshal([]byte(parameters), &request); err != nil {
		return "", err
	}
	if err := f.connect(ctx); err != nil {
		return "", err
	}
	containers := []map[string]string{}
	for name, image := range request.Images {
		containers = append(containers, map[string]string{"name": name, "image": image})
	}
	spec := map[string]any{"spec": map[string]any{"containers": containers}}
	patch, err := json.Marshal(map[string]any{"spec": map[string]any{"template": spec}})
	if err != nil {
		return "", err
	}
	deployments := f.cluster.AppsV1().Deployments(namespace)
	written, err := deployments.Patch(
		ctx, request.Deployment, k8stypes.StrategicMergePatchType, patch, metav1.PatchOptions{})
	if err != nil {
		return "", err
	}
	done, err := follow(ctx, deployments, written)
	if err != nil {
		return "", err
	}
	revision := done.Annotations["deployment.kubernetes.io/revision"]
	return fmt.Sprintf("%s runs revision %s", request.Deployment, revision), nil
}

func (f *function) connect(ctx context.Context) error {
	decrypt := true
	answer, err := f.parameters.GetParameter(
		ctx, &ssm.GetParameterInput{Name: aws.String(parameter), WithDecryption: &decrypt})
	if err != nil {
		return err
	}
	if f.cluster != nil && f.token == *answer.Parameter.Value {
		return nil
	}
	f.token = *answer.Parameter.Value
	f.cluster, err = kubernetes.NewForConfig(&rest.Config{
		Host:            os.Getenv("K8S_CLUSTER"),
		BearerToken:     f.token,
		TLSClientConfig: rest.TLSClientConfig{CAData: []byte(os.Getenv("K8S_CA"))},
		// Its own limit of five calls a second would be what is measured, job after job.
		QPS: -1,
	})
	return err
}

// follow watches until the version that was written is rolled out.
func follow(
	ctx context.Context, deployments typed.DeploymentInterface, written *appsv1.Deployment,
) (*appsv1.Deployment, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		now, err := deployments.Get(ctx, written.Name, metav1.GetOptions{})
		if err != nil {
			return nil, err
		}
		if done, err := complete(now, written.Generation); done || err != nil {
			return now, err
		}
		changes, err := deployments.Watch(ctx, metav1.ListOptions{
			FieldSelector:   "metadata.name=" + written.Name,
			ResourceVersion: now.ResourceVersion,
		})
		if err != nil {
			return nil, err
		}
		done, err := last(changes, written.Generation)
		changes.Stop()
		if done != nil || err != nil {
			return done, err
		}
	}
}

// last reads changes up to the one that completes the rollout; none where the watch ended before.
func last(changes watch.Interface, generation int64) (*appsv1.Deployment, error) {
	for change := range changes.ResultChan() {
		deployment, ok := change.Object.(*appsv1.Deployment)
		if !ok {
			return nil, nil
		}
		if done, err := complete(deployment, generation); done || err != nil {
			return deployment, err
		}
	}
	return nil, nil
}

// complete is what `kubectl rollout status` goes by.
func complete(deployment *appsv1.Deployment, generation int64) (bool, error) {
	status := deployment.Status
	if status.ObservedGeneration < generation {
		return false, nil
	}
	for _, condition := range status.Conditions {
		if condition.Reason == "ProgressDeadlineExceeded" {
			return false, fmt.Errorf("%s", condition.Message)
		}
	}
	return status.UpdatedReplicas >= *deployment.Spec.Replicas &&
		status.Replicas <= status.UpdatedReplicas &&
		status.AvailableReplicas >= status.UpdatedReplicas, nil
}
