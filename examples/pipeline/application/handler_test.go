package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func ask(handler http.Handler, method, path, body string) *httptest.ResponseRecorder {
	answer := httptest.NewRecorder()
	handler.ServeHTTP(answer, httptest.NewRequest(method, path, strings.NewReader(body)))
	return answer
}

func TestAnswers(t *testing.T) {
	store, _ := fresh(t)
	handler := Handler(store, "e0c7b6e", "2026-01-01T00:00:00Z")
	long := `{"item": "` + strings.Repeat("x", bodyBytes) + `"}`
	for _, row := range []struct {
		name, method, path, body string
		status                   int
		text                     string
	}{
		{"the version", "GET", "/live", "", 200, `"commit":"e0c7b6e"`},
		{"a database that answers", "GET", "/ready", "", 200, `"database":"ok"`},
		{"no orders yet", "GET", "/orders", "", 200, "[]"},
		{"an order", "POST", "/orders", `{"item": "tea", "pieces": 2}`, 201, `"id":1`},
		{"orders", "GET", "/orders", "", 200, `"item":"tea","pieces":2`},
		{"an item with a quote", "POST", "/orders", `{"item": "O'Hara", "pieces": 1}`, 201, "O'Hara"},
		{"no pieces", "POST", "/orders", `{"item": "tea"}`, 422, "needs an item and pieces"},
		{"no item", "POST", "/orders", `{"pieces": 2}`, 422, "needs an item and pieces"},
		{"no JSON", "POST", "/orders", "tea", 400, "no order"},
		{"too long", "POST", "/orders", long, 400, "no order"},
		{"another path", "GET", "/admin", "", 404, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			answer := ask(handler, row.method, row.path, row.body)
			if answer.Code != row.status || !strings.Contains(answer.Body.String(), row.text) {
				t.Fatalf("%d %s", answer.Code, answer.Body)
			}
		})
	}
}

func TestWithoutADatabaseItLivesButIsNotReady(t *testing.T) {
	store, _ := fresh(t)
	handler := Handler(store, "", "")
	store.Close()
	if answer := ask(handler, "GET", "/live", ""); answer.Code != 200 {
		t.Fatal("a restart does not bring a database back", answer.Code)
	}
	if answer := ask(handler, "GET", "/ready", ""); answer.Code != 503 {
		t.Fatal("it must get no traffic", answer.Code)
	}
	if answer := ask(handler, "GET", "/orders", ""); answer.Code != 500 {
		t.Fatal(answer.Code)
	}
}
