package retry

import (
	"bufio"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/nats-io/nats.go"
)

// lines is a log that keeps the reasons.
type lines struct{ why []string }

func (l *lines) Enabled(context.Context, slog.Level) bool { return true }
func (l *lines) WithAttrs([]slog.Attr) slog.Handler       { return l }
func (l *lines) WithGroup(string) slog.Handler            { return l }
func (l *lines) Handle(_ context.Context, r slog.Record) error {
	r.Attrs(func(a slog.Attr) bool { l.why = append(l.why, a.Value.String()); return true })
	return nil
}

// A reason is told once for as long as it lasts. That the hub is not there yet must not hide that it is the wrong one.
func TestReasons(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l lines
		reasons := []string{"no link", "no link", "two domains", "two domains", "no link", ""}
		err := Until(t.Context(), slog.New(&l), "not yet", func(context.Context) error {
			why := reasons[0]
			reasons = reasons[1:]
			if why == "" {
				return nil
			}
			return errors.New(why)
		})
		if want := []string{"no link", "two domains", "no link"}; err != nil || !slices.Equal(l.why, want) {
			t.Errorf("%v, and logged %q, want %q", err, l.why, want)
		}
	})
}

// A server may say what nats.go closes the connection for, for good. A member does not live on then as if it would come back.
func TestClosedForGood(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	says := make(chan string)
	go func() {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		_, _ = io.WriteString(conn, "INFO {\"max_payload\":1048576}\r\n")
		for from := bufio.NewScanner(conn); from.Scan() && from.Text() != "PING"; {
		}
		_, _ = io.WriteString(conn, "PONG\r\n")
		_, _ = io.WriteString(conn, <-says)
		_, _ = io.Copy(io.Discard, conn)
	}()
	nc, err := nats.Connect("nats://"+l.Addr().String(), nats.MaxReconnects(-1))
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	fatal := make(chan error, 1)
	Attend(nc, slog.New(slog.DiscardHandler), 1, "kbus", fatal)
	says <- "-ERR 'It is Sunday'\r\n"
	if err := <-fatal; !errors.As(err, new(*Refusal)) || !strings.Contains(err.Error(), "It is Sunday") {
		t.Errorf("%v", err)
	}
}
