package web

import (
	"context"
	"crypto/tls"
	"errors"
	"log"
	"net"
	"net/http"
	"time"

	"golang.org/x/net/netutil"
)

// A server has a limit for everything that somebody else decides: how long a request may come, how long an answer may be taken,
// how many connections there are. At its end it does not wait long for anybody.

const (
	patience        = 5 * time.Second // for a request to come
	answering       = 3 * patience    // for an answer to be taken
	mostConnections = 1024
	lateAtMost      = 2 * time.Second // for answers that are under way at the end
)

// Serve serves until ctx ends, and lets answers that are under way end then. What cannot be known is told by refused, such as
// a handshake that failed. With config it speaks TLS.
func Serve(ctx context.Context, listener net.Listener, config *tls.Config, handler http.Handler, refused *log.Logger) error {
	listener = netutil.LimitListener(listener, mostConnections)
	server := &http.Server{
		Handler: wantNoBody(handler), TLSConfig: config, ErrorLog: refused, ReadHeaderTimeout: patience, WriteTimeout: answering,
		IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10, BaseContext: func(net.Listener) context.Context { return ctx },
	}
	stopped := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(stopped)
		late, done := context.WithTimeout(context.WithoutCancel(ctx), lateAtMost)
		defer done()
		if server.Shutdown(late) != nil {
			_ = server.Close() // whoever still takes its answer has had its time
		}
	})
	defer stop()
	serve := server.Serve
	if config != nil {
		serve = func(l net.Listener) error { return server.ServeTLS(l, "", "") }
	}
	if err := serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	<-stopped
	return nil
}

// wantNoBody refuses requests with a body, for nothing here takes one. Else the server reads some of it after the answer, for as
// long as it takes to come, and enough of those that come slowly are all the connections there are.
func wantNoBody(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength == 0 {
			next.ServeHTTP(w, r)
			return
		}
		_ = http.NewResponseController(w).SetReadDeadline(time.Now())
		w.Header().Set("Connection", "close")
		http.Error(w, "a request to this server has no body", http.StatusBadRequest)
	})
}
