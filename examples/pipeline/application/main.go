// Web takes orders and lists them: small, but with a database behind it, as real ones have.
package main

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

const (
	// A request that takes longer has lost its client.
	requestTime = 10 * time.Second
	// Below terminationGracePeriodSeconds in k8s/deployment.yaml, less its preStop.
	drainTime = 20 * time.Second
	// A database that does not answer at the start is told, and the container restarted.
	startTime = 30 * time.Second
)

func main() {
	slog.SetDefault(slog.New(slog.NewJSONHandler(os.Stdout, nil)))
	if err := run(); err != nil {
		slog.Error("web ends", "cause", err)
		os.Exit(1)
	}
}

func run() error {
	stop, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer cancel()
	url := os.Getenv("DATABASE_URL")
	if url == "" {
		return errors.New("DATABASE_URL is not set")
	}
	starting, started := context.WithTimeout(stop, startTime)
	defer started()
	store, err := Open(starting, url)
	if err != nil {
		return err
	}
	defer store.Close()
	server := &http.Server{
		Addr:              ":8080",
		Handler:           Handler(store, os.Getenv("COMMIT"), os.Getenv("COMMITTED_AT")),
		ReadHeaderTimeout: requestTime,
		ReadTimeout:       requestTime,
		WriteTimeout:      requestTime,
	}
	failed := make(chan error, 1)
	go func() { failed <- server.ListenAndServe() }()
	slog.Info("web serves", "address", server.Addr, "commit", os.Getenv("COMMIT"))
	select {
	case err := <-failed:
		return err
	case <-stop.Done():
	}
	slog.Info("web drains")
	draining, drained := context.WithTimeout(context.Background(), drainTime)
	defer drained()
	return server.Shutdown(draining)
}
