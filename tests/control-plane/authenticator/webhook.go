package main

import (
	"encoding/json"
	"log"
	"net/http"

	"sigs.k8s.io/aws-iam-authenticator/pkg/token"
)

// Review is a TokenReview as kube-apiserver sends it and expects it.
// https://kubernetes.io/docs/reference/access-authn-authz/authentication/#webhook-token-authentication
type Review struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Spec       *Spec  `json:"spec,omitempty"`
	Status     Status `json:"status"`
}

// Spec is the question of a review.
type Spec struct {
	Token string `json:"token"`
}

// Status is the answer of a review.
type Status struct {
	Authenticated bool  `json:"authenticated"`
	User          *User `json:"user,omitempty"`
}

// User is who has the token.
type User struct {
	Username string              `json:"username"`
	UID      string              `json:"uid"`
	Groups   []string            `json:"groups"`
	Extra    map[string][]string `json:"extra"`
}

// Answers kube-apiserver who has a token.
type webhook struct {
	verifier token.Verifier
	entries  map[string][]string
}

func (w *webhook) ServeHTTP(response http.ResponseWriter, request *http.Request) {
	var review Review
	if err := json.NewDecoder(request.Body).Decode(&review); err != nil || review.Spec == nil {
		http.Error(response, "not a TokenReview", http.StatusBadRequest)
		return
	}
	review.Status = w.answer(review.Spec.Token)
	review.Spec = nil
	response.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(response).Encode(review); err != nil {
		log.Print(err)
	}
}

// The names are those of EKS for an access entry that says nothing of names.
// https://docs.aws.amazon.com/eks/latest/userguide/creating-access-entries.html
func (w *webhook) answer(value string) Status {
	identity, err := w.verifier.Verify(value)
	if err != nil {
		log.Print("refused: ", err)
		return Status{}
	}
	groups, found := w.entries[identity.CanonicalARN]
	if !found {
		log.Print("no access entry: ", identity.CanonicalARN)
		return Status{}
	}
	return Status{Authenticated: true, User: &User{
		Username: identity.ARN,
		UID:      "aws-iam-authenticator:" + identity.AccountID + ":" + identity.UserID,
		Groups:   groups,
		Extra: map[string][]string{
			"accessKeyId":  {identity.AccessKeyID},
			"arn":          {identity.ARN},
			"canonicalArn": {identity.CanonicalARN},
			"sessionName":  {identity.SessionName},
		},
	}}
}
