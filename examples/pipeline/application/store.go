package main

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Pods start side by side, and CREATE TABLE IF NOT EXISTS can fail when two do it at once.
const schema = `
SELECT pg_advisory_xact_lock(7326001);
CREATE TABLE IF NOT EXISTS orders (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	item text NOT NULL CHECK (length(item) BETWEEN 1 AND 100),
	pieces integer NOT NULL CHECK (pieces > 0),
	ordered_at timestamptz NOT NULL DEFAULT now()
);`

// The last orders are what a page shows.
const most = 50

// Order is one order.
type Order struct {
	ID        int64     `json:"id"`
	Item      string    `json:"item"`
	Pieces    int32     `json:"pieces"`
	OrderedAt time.Time `json:"orderedAt"`
}

// Store keeps orders in PostgreSQL.
type Store struct{ pool *pgxpool.Pool }

// Open connects, and brings the tables up to date.
func Open(ctx context.Context, url string) (*Store, error) {
	pool, err := pgxpool.New(ctx, url)
	if err != nil {
		return nil, fmt.Errorf("DATABASE_URL: %w", err)
	}
	// Several statements at once need the simple protocol; they are one transaction.
	if _, err := pool.Exec(ctx, schema, pgx.QueryExecModeSimpleProtocol); err != nil {
		pool.Close()
		return nil, fmt.Errorf("the database: %w", err)
	}
	return &Store{pool}, nil
}

// Close ends all connections.
func (store *Store) Close() { store.pool.Close() }

// Ping tells whether the database answers.
func (store *Store) Ping(ctx context.Context) error { return store.pool.Ping(ctx) }

// Add keeps an order and gives it its number.
func (store *Store) Add(ctx context.Context, item string, pieces int32) (Order, error) {
	rows, _ := store.pool.Query(ctx,
		"INSERT INTO orders (item, pieces) VALUES ($1, $2) RETURNING id, item, pieces, ordered_at",
		item, pieces)
	return pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[Order])
}

// Last gives the newest orders, the newest first.
func (store *Store) Last(ctx context.Context) ([]Order, error) {
	rows, _ := store.pool.Query(ctx,
		"SELECT id, item, pieces, ordered_at FROM orders ORDER BY id DESC LIMIT $1", most)
	return pgx.CollectRows(rows, pgx.RowToStructByPos[Order])
}
