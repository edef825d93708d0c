package websocket

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// A page that finds no door is in one line, which says why and not which token it had; many are in one line a second.
func TestRefusedPagesAreNoted(t *testing.T) {
	doors, err := load(t, panel)
	must(t, err)
	synctest.Test(t, func(t *testing.T) {
		var lines []string
		h := New(doors, nil, 0)
		h.Refused = func(text string) { lines = append(lines, text) }
		ask := func(origin, token string) {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/socket", nil)
			r.Header.Set("Origin", origin)
			r.Header.Set("Sec-WebSocket-Protocol", Protocol+", "+token)
			w := httptest.NewRecorder()
			if h.ServeHTTP(w, r); w.Code != http.StatusForbidden || strings.TrimSpace(w.Body.String()) != "no door for this origin and token" {
				t.Errorf("%d %s", w.Code, w.Body)
			}
		}
		const wrong = "my-own-secret-token"
		ask("https://Panel.example", tokenPrefix+wrong)
		time.Sleep(between)
		ask("https://panel.example", tokenPrefix+wrong)
		for range 1000 {
			ask("https://panel.example", tokenPrefix+wrong)
		}
		time.Sleep(between)
		ask("https://panel.example", "")
		want := []string{`no door is for the origin "https://Panel.example"`, `the token of a page of "https://panel.example" is that of no door for this origin`,
			`a page of "https://panel.example" has offered no token (subprotocol kbus.token. and the token); 1000 more before it`}
		if len(lines) != len(want) {
			t.Fatalf("%q", lines)
		}
		for i, line := range lines {
			if line != "refused at /socket: 192.0.2.1:1234: "+want[i] || strings.Contains(line, wrong) {
				t.Errorf("%s\nand not\n%s", line, want[i])
			}
		}
	})
}
