package main

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"kbus.example/kbus"
)

// stage is a real daemon, and a real kbus-web that looks at it.
type stage struct {
	*testing.T
	dir, url string
	daemon   *running
	web      *running
}

func newStage(t *testing.T, flags ...string) *stage {
	s := &stage{T: t, dir: t.TempDir()}
	s.startDaemon()
	s.startWeb(flags...)
	return s
}

func (s *stage) startDaemon() {
	s.daemon = start(s.T, "kbusd", "--dir", s.dir, "--buses", "1")
	s.daemon.await("buses are open")
}

func (s *stage) startWeb(flags ...string) {
	s.web = start(s.T, "kbus", append([]string{"web", "--dir", s.dir, "--listen", "127.0.0.1:0", "--json"}, flags...)...)
	var line struct{ URL string }
	must(s.T, json.Unmarshal([]byte(s.web.await(`"url"`)), &line))
	s.url = line.URL
}

func (s *stage) open() *kbus.Ksock {
	s.Helper()
	k, err := kbus.Open(s.Context(), 0, kbus.Dir(s.dir))
	must(s.T, err)
	s.Cleanup(func() { k.Close() })
	return k
}

// viewer is one that reads the stream.
type viewer struct {
	*testing.T
	lines *bufio.Scanner
	end   context.CancelFunc
}

type update struct {
	event string
	data  struct {
		Bus      uint32
		Up       bool
		Why      string
		Lives    int
		Of       uint64
		Most     int
		Counts   map[string]uint64
		Messages []struct {
			Kind, Name, Data string
			From, To         uint32
			Refused          *struct{ Condition, Why string }
		}
		Ksocks []struct {
			Ksock, Queued         uint32
			Missed                uint64
			Unanswered            int
			Program               string
			Owes                  []struct{ Name string }
			MaxMessages, Pid, UID uint32
		}
		Bindings []struct{ As, Name string }
		Refusals []struct {
			From    uint32
			Refused struct{ Condition string }
		}
	}
}

func (s *stage) view() *viewer {
	s.Helper()
	ctx, end := context.WithCancel(s.Context())
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+"events", nil)
	must(s.T, err)
	answer, err := http.DefaultClient.Do(r)
	must(s.T, err)
	s.Cleanup(func() { end(); answer.Body.Close() })
	if kind := answer.Header.Get("Content-Type"); answer.StatusCode != 200 || kind != "text/event-stream" {
		s.Fatalf("%d %s", answer.StatusCode, kind)
	}
	v := &viewer{s.T, bufio.NewScanner(answer.Body), end}
	v.lines.Buffer(nil, 8<<20)
	return v
}

// next gives the next update, and false when the stream has ended.
func (v *viewer) next() (f update, ok bool) {
	v.Helper()
	for v.lines.Scan() {
		line := v.lines.Text()
		if event, is := strings.CutPrefix(line, "event: "); is {
			f.event = event
		} else if data, is := strings.CutPrefix(line, "data: "); is {
			must(v.T, json.Unmarshal([]byte(data), &f.data))
			return f, true
		}
	}
	return f, false
}

// until reads updates until one is as it should be.
func (v *viewer) until(event string, is func(*update) bool) *update {
	v.Helper()
	for {
		f, ok := v.next()
		if !ok {
			v.Fatalf("the stream ended before the %s", event)
		}
		if f.event == event && is(&f) {
			return &f
		}
	}
}

func anything(*update) bool { return true }

// ask asks for a path, and gives status and text.
func (s *stage) ask(client *http.Client, path string, header ...string) (int, string, http.Header) {
	s.Helper()
	r, err := http.NewRequestWithContext(s.Context(), http.MethodGet, s.url+path, nil)
	must(s.T, err)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
		if header[i] == "Host" {
			r.Host = header[i+1]
		}
	}
	answer, err := client.Do(r)
	must(s.T, err)
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, 1<<20))
	must(s.T, err)
	return answer.StatusCode, string(text), answer.Header
}
