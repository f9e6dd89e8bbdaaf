package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	signer "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

const (
	clusterHeader = "x-k8s-aws-id"
	dateForm      = "20060102T150405Z"
	// The life of a signed call, whatever its X-Amz-Expires says.
	life = 15 * time.Minute
	// The SHA-256 of nothing, which is the body of a GET.
	emptyHash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
)

// Identity is the credentials of a session, and who has them.
type Identity struct {
	Key     string `json:"key"`
	Secret  string `json:"secret"`
	Session string `json:"session"`
	Account string `json:"account"`
	ARN     string `json:"arn"`
	// AROA…:SESSION
	UserID string `json:"userId"`
}

// Stands in for STS. It answers GetCallerIdentity if the signature is right.
type sts struct {
	identities []Identity
}

// RoundTrip answers a request instead of the network.
func (s *sts) RoundTrip(request *http.Request) (*http.Response, error) {
	status, body := http.StatusOK, map[string]any{}
	identity, code := s.caller(request)
	if code != "" {
		status = http.StatusForbidden
		body["Error"] = map[string]string{"Code": code, "Type": "Sender"}
	} else {
		body["GetCallerIdentityResponse"] = map[string]any{
			"GetCallerIdentityResult": map[string]string{
				"Account": identity.Account, "Arn": identity.ARN, "UserId": identity.UserID,
			},
			"ResponseMetadata": map[string]string{"RequestId": "1"},
		}
	}
	content, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	return &http.Response{
		StatusCode: status,
		Header:     http.Header{"Content-Type": {"application/json"}},
		Body:       io.NopCloser(strings.NewReader(string(content))),
		Request:    request,
	}, nil
}

// Returns who has signed a request, or STS's error code.
// https://docs.aws.amazon.com/STS/latest/APIReference/CommonErrors.html
func (s *sts) caller(request *http.Request) (*Identity, string) {
	query := request.URL.Query()
	scope := strings.Split(query.Get("X-Amz-Credential"), "/")
	if len(scope) != 5 || scope[3] != "sts" || !strings.Contains(request.URL.Host, "."+scope[2]+".") {
		return nil, "SignatureDoesNotMatch"
	}
	isKnown := func(one Identity) bool { return one.Key == scope[0] }
	index := slices.IndexFunc(s.identities, isKnown)
	if index < 0 || s.identities[index].Session != query.Get("X-Amz-Security-Token") {
		return nil, "InvalidClientTokenId"
	}
	date, err := time.Parse(dateForm, query.Get("X-Amz-Date"))
	if err != nil || time.Since(date) > life {
		return nil, "SignatureDoesNotMatch"
	}
	signed, err := sign(request, s.identities[index], scope[2], date)
	if err != nil || !maps.EqualFunc(signed, query, slices.Equal) {
		return nil, "SignatureDoesNotMatch"
	}
	return &s.identities[index], ""
}

// Returns the query that the call would have if the identity had signed it, with the id of the
// cluster as the request has it.
func sign(request *http.Request, identity Identity, region string, date time.Time) (map[string][]string, error) {
	url := *request.URL
	query := url.Query()
	for name := range query {
		if strings.HasPrefix(name, "X-Amz-") && name != "X-Amz-Expires" {
			query.Del(name)
		}
	}
	url.RawQuery = query.Encode()
	again, err := http.NewRequest(http.MethodGet, url.String(), nil)
	if err != nil {
		return nil, err
	}
	again.Header.Set(clusterHeader, request.Header.Get(clusterHeader))
	credentials := aws.Credentials{
		AccessKeyID:     identity.Key,
		SecretAccessKey: identity.Secret,
		SessionToken:    identity.Session,
	}
	signed, _, err := signer.NewSigner().PresignHTTP(
		context.Background(), credentials, again, emptyHash, "sts", region, date)
	if err != nil {
		return nil, err
	}
	again, err = http.NewRequest(http.MethodGet, signed, nil)
	if err != nil {
		return nil, fmt.Errorf("the signed URL: %w", err)
	}
	return again.URL.Query(), nil
}
