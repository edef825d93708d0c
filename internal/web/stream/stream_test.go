package stream

import (
	"bufio"
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// note is an update of the test: of a full one the words are messages.
type note struct {
	Number   int
	Messages int
	Ballast  string
}

// A viewer that reads nothing until the end is told to the last message what it was not shown, and has kept nobody waiting.
func TestSlowViewerLosesWithExactCounts(t *testing.T) {
	hub := NewHub(1, func() []Update { return nil })
	server := httptest.NewServer(hub)
	defer server.Close()
	connection, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	if _, err := connection.Write([]byte("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
	reader := bufio.NewReader(connection)
	answer, err := http.ReadResponse(reader, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()

	ballast := strings.Repeat("x", 100<<10)
	const updates, each = 400, 3 // 40 MB, which no socket takes
	for i := range updates {
		hub.Send(New("beat", note{i, each, ballast}, note{Number: i}, each))
	}
	hub.End()

	var shown, full, short int
	var lost Lost
	lines := bufio.NewScanner(answer.Body)
	lines.Buffer(nil, 1<<20)
	for event := ""; lines.Scan() && event != "end"; {
		line := lines.Text()
		if name, is := strings.CutPrefix(line, "event: "); is {
			event = name
			continue
		}
		data, is := strings.CutPrefix(line, "data: ")
		if !is {
			continue
		}
		switch event {
		case "beat":
			var n note
			if err := json.Unmarshal([]byte(data), &n); err != nil {
				t.Fatal(err)
			}
			shown += n.Messages
			if n.Messages > 0 {
				full++
			} else {
				short++
			}
		case "lost":
			if err := json.Unmarshal([]byte(data), &lost); err != nil {
				t.Fatal(err)
			}
		}
	}
	if full == 0 || short == 0 || lost.Updates == 0 {
		t.Errorf("%d in full, %d short, %+v: it should have had some of each", full, short, lost)
	}
	if full+short+int(lost.Updates) != updates || shown+int(lost.Messages) != updates*each {
		t.Errorf("%d in full, %d short, %d messages shown, %+v: that is not %d updates and %d messages", full, short, shown, lost, updates, updates*each)
	}
}

// A queue has its limits, by number and by bytes; half way up it gets shorter.
func TestQueue(t *testing.T) {
	v := newViewer()
	for range mostUpdates/2 + 1 {
		v.push(New("a", "full", "short", 1))
	}
	if v.lost != (Lost{Messages: 1}) {
		t.Errorf("%+v", v.lost)
	}
	for range mostUpdates {
		v.push(New("a", "full", nil, 0))
	}
	if len(v.queue) != mostUpdates || v.lost.Updates != mostUpdates/2+1 {
		t.Errorf("%d in the queue, %+v", len(v.queue), v.lost)
	}
	if text := string(v.pop()); !strings.HasPrefix(text, "event: lost\n") {
		t.Error(text)
	}
	for v.pop() != nil {
	}
	if v.bytes != 0 {
		t.Errorf("%d bytes in an empty queue", v.bytes)
	}
	long := New("a", strings.Repeat("x", mostBytes/3), nil, 0)
	for range 4 {
		v.push(long)
	}
	if len(v.queue) != 2 {
		t.Errorf("%d long ones", len(v.queue))
	}
}
