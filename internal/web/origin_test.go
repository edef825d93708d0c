package web

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

// A link from elsewhere leads to the page, and not to the stream, which would keep a place for nobody.
func TestLinkLeadsToThePage(t *testing.T) {
	server := New(Config{Loopback: true}, map[string]http.Handler{"GET /events": http.NotFoundHandler()})
	for path, want := range map[string]int{"/": http.StatusOK, "/events": http.StatusForbidden} {
		r := httptest.NewRequest(http.MethodGet, path, nil)
		r.Host = "localhost"
		r.Header.Set("Sec-Fetch-Site", "cross-site")
		r.Header.Set("Sec-Fetch-Mode", "navigate")
		answer := httptest.NewRecorder()
		if server.ServeHTTP(answer, r); answer.Code != want {
			t.Errorf("%s: %d, want %d", path, answer.Code, want)
		}
	}
}

// Who may ask, by what the request says of itself.
func TestWhoMayAsk(t *testing.T) {
	beside := map[string]http.Handler{"/socket": http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })}
	here, away := New(Config{Loopback: true}, beside), New(Config{Token: "correct horse battery"}, beside)
	door := New(Config{Loopback: true, Doors: []string{"/socket"}}, beside)
	bothDoors := New(Config{Token: "correct horse battery", Doors: []string{"/socket"}}, beside)
	for _, c := range []struct {
		server http.Handler
		host   string
		header map[string]string
		want   int
	}{
		{here, "127.0.0.1:8080", nil, 418},
		{here, "localhost:8080", nil, 418},
		{here, "LOCALHOST", nil, 418},
		{here, "[::1]:8080", nil, 418},
		{here, "127.8.9.1", nil, 418},
		{here, "rebound.example:8080", nil, 421},
		{here, "localhost.rebound.example", nil, 421},
		{here, "192.168.1.1:8080", nil, 421},
		{here, "", nil, 421},
		{here, "localhost:8080", map[string]string{"Origin": "http://localhost:8080"}, 418},
		{here, "localhost:8080", map[string]string{"Origin": "http://localhost:9090"}, 403},
		{here, "localhost:8080", map[string]string{"Origin": "https://rebound.example"}, 403},
		{here, "localhost:8080", map[string]string{"Origin": "null"}, 403},
		{here, "localhost:8080", map[string]string{"Sec-Fetch-Site": "same-origin"}, 418},
		{here, "localhost:8080", map[string]string{"Sec-Fetch-Site": "none"}, 418},
		{here, "localhost:8080", map[string]string{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}, 403},
		{here, "localhost:8080", map[string]string{"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "cors"}, 403},
		{here, "localhost:8080", map[string]string{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}, 403},
		{door, "localhost:8080", map[string]string{"Origin": "https://other.example"}, 418},
		{door, "rebound.example", nil, 421},
		{bothDoors, "machine.example", map[string]string{"Origin": "https://other.example"}, 418},
		{away, "machine.example", nil, 401},
		{away, "machine.example", map[string]string{"Authorization": "Bearer correct horse battery"}, 418},
		{away, "machine.example", map[string]string{"Authorization": "Bearer correct horse"}, 401},
		{away, "machine.example", map[string]string{"Authorization": "Bearer "}, 401},
		{away, "machine.example", map[string]string{"Authorization": "Basic OmNvcnJlY3QgaG9yc2UgYmF0dGVyeQ=="}, 418},
		{away, "machine.example", map[string]string{"Authorization": "Bearer correct horse battery", "Origin": "https://other.example"}, 403},
	} {
		r := httptest.NewRequest(http.MethodGet, "/socket", nil)
		r.Host = c.host
		for k, v := range c.header {
			r.Header.Set(k, v)
		}
		answer := httptest.NewRecorder()
		c.server.ServeHTTP(answer, r)
		if answer.Code != c.want {
			t.Errorf("for %q with %v: %d, want %d", c.host, c.header, answer.Code, c.want)
		}
		if answer.Header().Get("Content-Security-Policy") == "" {
			t.Errorf("for %q with %v: no policy", c.host, c.header)
		}
	}
}
