// Package websocket lets pages in browsers be clients of a bus, through doors. A door is for one origin and one token, and says
// what may be done through it; what it does not name is refused. Without a door there is nothing.
//
// A page speaks the protocol of docs/protocol.md in binary messages, whose bytes, one behind the other, are the stream that a
// client writes into the daemon's socket; its end is a message without bytes. The handler reads of each frame what it must to
// judge it, and passes all else through as it comes, in pieces of a few thousand bytes. So nothing grows with what a page
// sends, or does not read: the page waits for the daemon, and the daemon for the page, as with any client.
//
// The files: doors.go is the file of doors and written.go how it is written, gate.go judges what a page asks, answers.go puts
// refusals where their results belong, session.go is one connection, refused.go says who has found no door, and this file is the
// HTTP.
package websocket

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"
)

// Protocol is the subprotocol that a page must offer, and tokenPrefix stands before the token, which it offers beside it. A token
// is not in the address, for addresses are written into logs and histories.
const (
	Protocol    = "kbus"
	tokenPrefix = "kbus.token."
)

// What a close says to a page beside the reasons of the standard.
const (
	statusDenied    websocket.StatusCode = 4403
	statusNoSuchBus websocket.StatusCode = 4404
)

// DefaultPatience is how long a page may take to read what it is sent.
const DefaultPatience = 30 * time.Second

// Handler is the endpoint for pages.
type Handler struct {
	Refused Refused // nil: nobody wants to know; set before the first page comes

	doors    []*Door
	dial     func(ctx context.Context, bus uint32) (net.Conn, error)
	patience time.Duration

	mu   sync.Mutex
	open map[*Door]int

	refusals refusals
}

// New makes a Handler. dial connects to the socket of a bus; patience is how long a page may take to read.
func New(doors []*Door, dial func(ctx context.Context, bus uint32) (net.Conn, error), patience time.Duration) *Handler {
	return &Handler{doors: doors, dial: dial, patience: patience, open: map[*Door]int{}}
}

// ServeHTTP is one connection, from its beginning to its end. Cancel the request's context to end it.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	offered := protocols(r)
	origin, token := r.Header.Get("Origin"), tokenOf(offered)
	door := find(h.doors, origin, token)
	switch {
	case door == nil:
		h.refusals.note(h.Refused, h.doors, origin, token, r.RemoteAddr)
		http.Error(w, "no door for this origin and token", http.StatusForbidden)
		return
	case !slices.Contains(offered, Protocol):
		http.Error(w, "offer the subprotocol "+Protocol, http.StatusBadRequest)
		return
	case !h.enter(door):
		http.Error(w, fmt.Sprintf("%v has its %d connections", door, door.Connections), http.StatusServiceUnavailable)
		return
	}
	defer h.leave(door)
	page, err := websocket.Accept(w, r, &websocket.AcceptOptions{
		Subprotocols:       []string{Protocol},
		InsecureSkipVerify: true, // the door has judged the origin, and more strictly
	})
	if err != nil {
		return // and has said why
	}
	defer page.CloseNow()
	bus, status, why := h.connect(r, door)
	if bus == nil {
		page.Close(status, why)
		return
	}
	defer bus.Close()
	(&session{page: page, bus: bus, gate: newGate(door), patience: h.patience, resets: make(chan *refusal, mostResets)}).run(r.Context())
}

// connect connects a page to the bus that it asks for; else it gives what a close says of that.
func (h *Handler) connect(r *http.Request, door *Door) (bus net.Conn, status websocket.StatusCode, why string) {
	text := cmp.Or(r.URL.Query().Get("bus"), "0")
	number, err := strconv.ParseUint(text, 10, 32)
	if err != nil || !slices.Contains(door.Buses, uint32(number)) {
		return nil, statusDenied, shortened(fmt.Sprintf("%v does not allow bus %.20s", door, text))
	}
	if bus, err = h.dial(r.Context(), uint32(number)); err != nil {
		return nil, statusNoSuchBus, fmt.Sprintf("no bus %d: is kbusd running?", number)
	}
	return bus, 0, ""
}

// shortened is text with as much as a close has room for.
func shortened(text string) string { return text[:min(len(text), 123)] }

func (h *Handler) enter(d *Door) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.open[d] >= d.Connections {
		return false
	}
	h.open[d]++
	return true
}

func (h *Handler) leave(d *Door) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.open[d]--
}

// protocols are the subprotocols that a page offers.
func protocols(r *http.Request) (list []string) {
	for _, line := range r.Header.Values("Sec-WebSocket-Protocol") {
		for word := range strings.SplitSeq(line, ",") {
			list = append(list, strings.TrimSpace(word))
		}
	}
	return list
}

func tokenOf(offered []string) string {
	for _, word := range offered {
		if token, is := strings.CutPrefix(word, tokenPrefix); is {
			return token
		}
	}
	return ""
}
