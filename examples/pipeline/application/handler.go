package main

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

const (
	// Shorter than the readiness probe's own timeout.
	pingTime = time.Second
	// An order is a line; what is longer is no order.
	bodyBytes = 4096
)

// Handler serves orders from the store. The commit and its time tell which version answers.
func Handler(store *Store, commit, committedAt string) http.Handler {
	routes := http.NewServeMux()
	// Nothing but the process: a database that is away is no reason to restart every pod.
	routes.HandleFunc("GET /live", func(answer http.ResponseWriter, _ *http.Request) {
		reply(answer, http.StatusOK, map[string]string{"commit": commit, "committedAt": committedAt})
	})
	// What a request needs, so that a version that cannot reach its database gets no traffic.
	routes.HandleFunc("GET /ready", func(answer http.ResponseWriter, request *http.Request) {
		limited, cancel := context.WithTimeout(request.Context(), pingTime)
		defer cancel()
		if err := store.Ping(limited); err != nil {
			fail(answer, http.StatusServiceUnavailable, "the database does not answer", err)
			return
		}
		reply(answer, http.StatusOK, map[string]string{"database": "ok"})
	})
	routes.HandleFunc("GET /orders", func(answer http.ResponseWriter, request *http.Request) {
		orders, err := store.Last(request.Context())
		if err != nil {
			fail(answer, http.StatusInternalServerError, "the orders cannot be read", err)
			return
		}
		reply(answer, http.StatusOK, orders)
	})
	routes.HandleFunc("POST /orders", func(answer http.ResponseWriter, request *http.Request) {
		var order Order
		body := http.MaxBytesReader(answer, request.Body, bodyBytes)
		if err := json.NewDecoder(body).Decode(&order); err != nil {
			fail(answer, http.StatusBadRequest, "the body is no order", err)
			return
		}
		order, err := store.Add(request.Context(), order.Item, order.Pieces)
		var refused *pgconn.PgError
		switch {
		case errors.As(err, &refused) && refused.Code == "23514": // check_violation
			fail(answer, http.StatusUnprocessableEntity, "an order needs an item and pieces", err)
		case err != nil:
			fail(answer, http.StatusInternalServerError, "the order cannot be kept", err)
		default:
			reply(answer, http.StatusCreated, order)
		}
	})
	return routes
}

func reply(answer http.ResponseWriter, status int, body any) {
	answer.Header().Set("Content-Type", "application/json")
	answer.WriteHeader(status)
	if err := json.NewEncoder(answer).Encode(body); err != nil {
		slog.Warn("an answer was not taken", "cause", err)
	}
}

func fail(answer http.ResponseWriter, status int, text string, cause error) {
	slog.Warn(text, "status", status, "cause", cause)
	reply(answer, status, map[string]string{"error": text})
}
