package websocket

import (
	"bytes"
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/coder/websocket"

	"kbus.example/kbus/internal/rundir"
	"kbus.example/kbus/internal/server"
	"kbus.example/kbus/internal/wire"
)

// What pages do to a Handler is tested by bindings/js/test with real programs; here is what a test cannot bring about from there.

// endpoint is a Handler before a real daemon, and a page that has said Hello. ended has something when its connection has ended,
// and stop ends the context of all.
func endpoint(t *testing.T, patience time.Duration) (page *websocket.Conn, ended <-chan struct{}, stop context.CancelFunc) {
	t.Helper()
	list, err := load(t, panel)
	must(t, err)
	config := server.Default()
	config.Dir = t.TempDir()
	daemon, err := server.Start(config, nil)
	must(t, err)
	t.Cleanup(func() { daemon.Stop(0); daemon.Wait() })
	handler := New(list, func(ctx context.Context, bus uint32) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", rundir.SocketPath(config.Dir, bus))
	}, patience)
	over := make(chan struct{}, 1)
	web := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		handler.ServeHTTP(w, r)
		over <- struct{}{}
	}))
	ctx, stop := context.WithCancel(t.Context())
	web.Config.BaseContext = func(net.Listener) context.Context { return ctx }
	web.Start()
	t.Cleanup(web.Close)
	t.Cleanup(stop)
	page, _, err = websocket.Dial(t.Context(), web.URL, &websocket.DialOptions{
		HTTPHeader: http.Header{"Origin": {"https://panel.example"}}, Subprotocols: []string{Protocol, tokenPrefix + goodToken},
	})
	must(t, err)
	t.Cleanup(func() { page.CloseNow() })
	must(t, page.Write(t.Context(), websocket.MessageBinary, greeting))
	_, _, err = page.Read(t.Context())
	must(t, err)
	return page, over, stop
}

// A page that asks and does not read has some time; then it loses its connection, whatever it asks for.
func TestPatience(t *testing.T) {
	for _, op := range []wire.Op{wire.OpLastSent, wire.OpReset, wire.OpNewBus} {
		page, ended, _ := endpoint(t, time.Millisecond)
		flood := bytes.Repeat(frame(op, 0, nil), 2000)
		go func() {
			for page.Write(t.Context(), websocket.MessageBinary, flood) == nil {
			}
		}()
		<-ended
	}
}

// The end of the server is the end of its connections.
func TestServerEnds(t *testing.T) {
	page, ended, stop := endpoint(t, DefaultPatience)
	stop()
	<-ended
	if _, _, err := page.Read(t.Context()); err == nil {
		t.Error("the page is told nothing")
	}
}

// A page that goes without a word is noticed, whatever it waits for.
func TestPageGoes(t *testing.T) {
	page, ended, _ := endpoint(t, DefaultPatience)
	must(t, page.Write(t.Context(), websocket.MessageBinary, frame(wire.OpNextWait, 1, nil)))
	page.CloseNow()
	<-ended
}
