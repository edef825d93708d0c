// Package web is what kbus-web shows to HTTP: the page, and whatever else is put beside it by its path. Every request is
// looked at before a handler sees it: whom it says it is for, from which page it comes, and, where there is one, the token.
package web

import (
	"net/http"

	"kbus.example/kbus/internal/web/page"
)

// Config says who may ask.
type Config struct {
	Loopback bool   // only this machine can reach the address: requests must be for a name of loopback
	Token    string // what everybody has to know; "": nothing

	// Doors are paths whose handlers decide themselves who may ask, by the page that asks and a token of its own. For all others
	// the page must be ours, and the token this one.
	Doors []string
}

// New is the page at "/" with handlers beside it, each by its pattern as http.ServeMux reads it ("GET /metrics", "/socket").
// What they see has passed the same checks as a request for the page. A handler that needs longer than a few seconds for
// its answer moves its write deadline itself (http.ResponseController), and ends when the context of its request does.
func New(c Config, beside map[string]http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", page.Handler())
	for pattern, handler := range beside {
		mux.Handle(pattern, handler)
	}
	return Guard(c, mux)
}

// Guard is for what is served without the page: all sees what has passed the checks.
func Guard(c Config, all http.Handler) http.Handler {
	if c.Token != "" {
		all = wantToken(c, all)
	}
	return strict(wantOwnPage(c, all))
}

// policy lets the page use nothing but its own files, and no text that becomes HTML or a script.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; " +
	"form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"

// strict sets what browsers must keep to, with every answer.
func strict(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		next.ServeHTTP(w, r)
	})
}
