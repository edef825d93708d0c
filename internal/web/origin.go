package web

import (
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// A page of somebody else, in a browser on this machine, can send requests to loopback too. Two things give it away. It may
// have a name of its own that its owner lets point here (DNS rebinding): then the request says that it is for that name. Or it
// asks us from where it is: then the browser says where from. Programs that are no browsers say neither, and need no such check.

// wantOwnPage lets through what a page of ours asks for, what a person does, and what a program does.
func wantOwnPage(c Config, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case c.Loopback && !IsLoopback(r.Host):
			http.Error(w, "this server is for localhost, 127.0.0.1 and [::1]; a request for another name may be an attack "+
				"(DNS rebinding). A proxy before it must set the header Host to one of these.", http.StatusMisdirectedRequest)
		case !slices.Contains(c.Doors, r.URL.Path) && !isOwn(r):
			http.Error(w, "a page from somewhere else may not ask this server", http.StatusForbidden)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// IsLoopback reports whether a host, with or without a port, is a name for this machine that nobody else can give away.
func IsLoopback(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.ToLower(strings.Trim(host, "[]"))
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// isOwn reports whether a request does not come from a page of another origin. "null" is what sandboxed frames and files say.
func isOwn(r *http.Request) bool {
	if origin := r.Header.Get("Origin"); origin != "" {
		from, err := url.Parse(origin)
		return err == nil && from.Host != "" && strings.EqualFold(from.Host, r.Host)
	}
	switch r.Header.Get("Sec-Fetch-Site") {
	case "", "same-origin", "none":
		return true
	}
	// Somebody has followed a link to the page. A link to the stream is none of ours, and each would take the place of a viewer.
	return r.Header.Get("Sec-Fetch-Mode") == "navigate" && r.URL.Path == "/"
}
