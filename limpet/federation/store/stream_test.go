package store

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"kbus.example/kbus/limpet/federation/server"
)

// connected connects to a real server in this process.
func connected(t *testing.T) *nats.Conn {
	t.Helper()
	s, err := server.Start(server.Config{
		Name: "shelf", Listen: "127.0.0.1:0", Store: t.TempDir(), Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
	})
	must(t, err)
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	nc, err := nats.Connect(s.ClientURL())
	must(t, err)
	t.Cleanup(nc.Close)
	return nc
}

// shelf is a log for so many bytes.
func shelf(t *testing.T, maxBytes int64) *Stream {
	t.Helper()
	stream, err := OpenStream(t.Context(), NATS{Conn: connected(t)}, "log", "log.in.", "log.out.>", 1, time.Hour, maxBytes)
	must(t, err)
	return stream
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

var written int

func write(t *testing.T, stream *Stream, key string, n int) (last uint64) {
	t.Helper()
	for range n {
		written++
		var err error
		last, err = stream.Append(t.Context(), key, []byte(strings.Repeat(key, 1000)), fmt.Sprint(written))
		must(t, err)
	}
	return last
}

var errEnough = errors.New("enough")

// read follows a log from a number on, and tells what it is told up to another.
func read(t *testing.T, stream *Stream, first, last uint64) (got []string) {
	t.Helper()
	each := func(e Entry) error {
		got = append(got, fmt.Sprintf("%d from %s", e.Revision, e.Key))
		if e.Revision >= last {
			return errEnough
		}
		return nil
	}
	lost := func(first, n uint64) error {
		got = append(got, fmt.Sprintf("%d lost from %d on", n, first))
		if first+n > last {
			return errEnough
		}
		return nil
	}
	if err := stream.Follow(t.Context(), first, each, lost); !errors.Is(err, errEnough) {
		t.Fatal(err)
	}
	return got
}

func TestStream(t *testing.T) {
	stream := shelf(t, 1<<20)
	write(t, stream, "a", 2)
	write(t, stream, "b", 2)
	if got, want := read(t, stream, 2, 4), []string{"2 from a", "3 from b", "4 from b"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if stream.Known() != 4 {
		t.Errorf("%d are known", stream.Known())
	}
	state, err := stream.State(t.Context())
	must(t, err)
	if state.First != 1 || state.Last != 4 || state.Created.IsZero() {
		t.Errorf("%+v", state)
	}
	for upTo, want := range map[uint64][]string{1: {"a1"}, 3: {"a2", "b3"}, 4: {"a2", "b4"}} {
		var got []string
		must(t, stream.Latest(t.Context(), upTo, func(e Entry) { got = append(got, fmt.Sprint(e.Key, e.Revision)) }))
		if !slices.Equal(got, want) {
			t.Errorf("the latest up to %d are %q, want %q", upTo, got, want)
		}
	}
}

// What the log has no more is told, with its number, before what comes next.
func TestLostEntries(t *testing.T) {
	stream := shelf(t, 20_000)
	last := write(t, stream, "a", 50)
	state, err := stream.State(t.Context())
	must(t, err)
	if state.First < 30 {
		t.Fatalf("nothing is lost: %+v", state)
	}
	got := read(t, stream, 5, last)
	if want := fmt.Sprintf("%d lost from 5 on", state.First-5); got[0] != want || len(got) != int(last-state.First+2) ||
		got[1] != fmt.Sprintf("%d from a", state.First) {
		t.Errorf("%q, want %q", got, want)
	}
}

// It is told as soon as it is known, also when nothing comes next.
func TestAllLost(t *testing.T) {
	stream := shelf(t, 1<<20)
	last := write(t, stream, "a", 10)
	_, err := stream.nc.Request("$JS.API.STREAM.PURGE."+stream.name, nil, Patience)
	must(t, err)
	if got, want := read(t, stream, 3, last), []string{"8 lost from 3 on"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// More may come while each takes its time than may wait for us.
func TestFollowed(t *testing.T) {
	stream := shelf(t, 1<<20)
	write(t, stream, "a", 1)
	next := uint64(1)
	each := func(e Entry) error {
		if e.Revision != next {
			t.Errorf("%d instead of %d", e.Revision, next)
		}
		if next++; next == 2 {
			write(t, stream, "a", 3*aheadInStream)
		}
		if next > 3*aheadInStream+1 {
			return errEnough
		}
		return nil
	}
	err := stream.Follow(t.Context(), 1, each, func(first, n uint64) error {
		return fmt.Errorf("%d lost from %d on", n, first)
	})
	if !errors.Is(err, errEnough) {
		t.Error(err)
	}
}
