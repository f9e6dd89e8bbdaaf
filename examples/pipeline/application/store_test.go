package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// fresh gives a store in a database of its own, on the server that test.sh started.
func fresh(t *testing.T) (*Store, string) {
	t.Helper()
	server := os.Getenv("TEST_DATABASE_URL")
	if server == "" {
		t.Fatal("TEST_DATABASE_URL is not set: run ./test.sh, which starts a PostgreSQL")
	}
	ctx := context.Background()
	connection, err := pgx.Connect(ctx, server)
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close(ctx)
	name := fmt.Sprintf("test_%d", time.Now().UnixNano())
	if _, err := connection.Exec(ctx, "CREATE DATABASE "+name); err != nil {
		t.Fatal(err)
	}
	url := strings.Replace(server, "/postgres?", "/"+name+"?", 1)
	store, err := Open(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(store.Close)
	return store, url
}

func TestOrdersAreKeptNewestFirst(t *testing.T) {
	store, url := fresh(t)
	for pieces, item := range []string{"tea", "bread", "ink"} {
		if _, err := store.Add(t.Context(), item, int32(pieces)+1); err != nil {
			t.Fatal(err)
		}
	}
	// Another pod sees them, too.
	other, err := Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	orders, err := other.Last(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(orders) != 3 || orders[0].Item != "ink" || orders[2].Item != "tea" {
		t.Fatalf("%+v", orders)
	}
}

func TestNoMoreThanTheLastFifty(t *testing.T) {
	store, _ := fresh(t)
	for range most + 1 {
		if _, err := store.Add(t.Context(), "tea", 1); err != nil {
			t.Fatal(err)
		}
	}
	orders, err := store.Last(t.Context())
	if err != nil || len(orders) != most {
		t.Fatalf("%d orders, %v", len(orders), err)
	}
}

func TestPodsMayStartAtOnce(t *testing.T) {
	_, url := fresh(t)
	drop, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := drop.Exec(t.Context(), "DROP TABLE orders"); err != nil {
		t.Fatal(err)
	}
	drop.Close(t.Context())
	var pods sync.WaitGroup
	for range 8 {
		pods.Add(1)
		go func() {
			defer pods.Done()
			store, err := Open(context.Background(), url)
			if err != nil {
				t.Error(err)
				return
			}
			store.Close()
		}()
	}
	pods.Wait()
}

func TestADatabaseThatIsAwayIsTold(t *testing.T) {
	_, err := Open(t.Context(), "postgres://web@127.0.0.1:1/web?sslmode=disable")
	if err == nil || !strings.Contains(err.Error(), "the database") {
		t.Fatal(err)
	}
}
