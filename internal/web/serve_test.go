package web

import (
	"context"
	"io"
	"log"
	"net"
	"net/http"
	"strings"
	"testing"
)

// Who sends a body, and sends it slowly, has an answer at once and keeps no connection.
func TestNoBody(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- Serve(ctx, listener, nil, http.NotFoundHandler(), log.New(io.Discard, "", 0)) }()
	for name, length := range map[string]string{"a length": "Content-Length: 1000", "pieces": "Transfer-Encoding: chunked"} {
		t.Run(name, func(t *testing.T) {
			conn, err := net.Dial("tcp", listener.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if _, err := io.WriteString(conn, "POST / HTTP/1.1\r\nHost: localhost\r\n"+length+"\r\n\r\n"); err != nil {
				t.Fatal(err)
			}
			answer, err := io.ReadAll(conn) // until the server closes
			if err != nil || !strings.HasPrefix(string(answer), "HTTP/1.1 400 ") {
				t.Errorf("%v: %s", err, answer)
			}
		})
	}
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
