// Lets people into the control plane as EKS does: by aws-iam-authenticator's own verifier of
// tokens, and by access entries. The verifier sends the signed call in a token to STS; here that is
// a stand-in that checks the signature as STS does, with AWS's own signer for Go.
//
//	authenticator verify CONFIGURATION          tokens on stdin, one answer a line
//	authenticator serve CONFIGURATION ADDRESS   webhook for kube-apiserver
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"time"

	"sigs.k8s.io/aws-iam-authenticator/pkg/token"
)

// The longest token that a line of stdin may hold; the verifier refuses more than 4 KiB.
const longestLine = 64 * 1024

// Configuration is a cluster, and who is known to AWS and to the cluster.
type Configuration struct {
	Cluster   string `json:"cluster"`
	Partition string `json:"partition"`
	Region    string `json:"region"`
	// The credentials that STS knows.
	Identities []Identity `json:"identities"`
	// Access entries: the groups by the ARN of a role.
	Entries map[string][]string `json:"entries"`
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "authenticator:", err)
		os.Exit(1)
	}
}

func run(arguments []string) error {
	if len(arguments) < 2 {
		return fmt.Errorf("usage: authenticator verify|serve CONFIGURATION [ADDRESS]")
	}
	content, err := os.ReadFile(arguments[1])
	if err != nil {
		return err
	}
	var configuration Configuration
	if err := json.Unmarshal(content, &configuration); err != nil {
		return err
	}
	// The verifier takes no client of ours, but uses Go's default transport.
	http.DefaultTransport = &sts{identities: configuration.Identities}
	verifier := token.NewVerifier(configuration.Cluster, configuration.Partition, configuration.Region)
	switch {
	case arguments[0] == "verify" && len(arguments) == 2:
		return verify(verifier)
	case arguments[0] == "serve" && len(arguments) == 3:
		server := http.Server{
			Addr:              arguments[2],
			Handler:           &webhook{verifier, configuration.Entries},
			ReadHeaderTimeout: 10 * time.Second,
		}
		return server.ListenAndServe()
	}
	return fmt.Errorf("unknown command: %v", arguments)
}

// Answers each token of stdin with `accepted ARN` or `refused REASON`.
func verify(verifier token.Verifier) error {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, longestLine)
	for lines.Scan() {
		identity, err := verifier.Verify(lines.Text())
		if err != nil {
			fmt.Printf("refused %v\n", err)
			continue
		}
		fmt.Printf("accepted %s\n", identity.ARN)
	}
	return lines.Err()
}
