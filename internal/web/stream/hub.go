package stream

import (
	"net/http"
	"sync"
	"time"
)

// Hub has the viewers. It may be used from several goroutines.
type Hub struct {
	most    int
	opening func() []Update

	mu      sync.Mutex
	viewers map[*viewer]bool
	ended   chan struct{}
	over    bool
}

// patience is how long a write to a viewer may take. A viewer that takes nothing for so long is let go; a browser comes back.
const patience = 20 * time.Second

// NewHub is one with room for so many viewers. Each is sent first what opening gives, which may be called at any time.
func NewHub(most int, opening func() []Update) *Hub {
	return &Hub{most: most, opening: opening, viewers: map[*viewer]bool{}, ended: make(chan struct{})}
}

// Viewers is how many there are.
func (h *Hub) Viewers() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.viewers)
}

// Send sends all viewers an update. It waits for none.
func (h *Hub) Send(f Update) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for v := range h.viewers {
		v.push(f)
	}
}

// End lets all viewers go, and tells them so.
func (h *Hub) End() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.over {
		h.over = true
		close(h.ended)
	}
}

func (h *Hub) join() *viewer {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.viewers) >= h.most || h.over {
		return nil
	}
	v := newViewer()
	h.viewers[v] = true
	return v
}

func (h *Hub) leave(v *viewer) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.viewers, v)
}

func (h *Hub) next(v *viewer) []byte {
	h.mu.Lock()
	defer h.mu.Unlock()
	return v.pop()
}

// ServeHTTP is the stream of one viewer. When there are too many it says so with status 200: any other would end the
// browser's attempts for good.
func (h *Hub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Accel-Buffering", "no") // or a proxy keeps it back
	if r.Method != http.MethodGet {
		return
	}
	out := writer{w, http.NewResponseController(w)}
	v := h.join()
	if v == nil {
		out.write([]byte("retry: 10000\n"))
		out.write(encode("full", map[string]int{"most": h.most}))
		return
	}
	defer h.leave(v)
	ok := out.write([]byte("retry: 2000\n\n"))
	for _, f := range h.opening() {
		ok = ok && out.write(f.full)
	}
	for ok {
		if text := h.next(v); text != nil {
			ok = out.write(text)
			continue
		}
		select {
		case <-v.wake:
			continue
		case <-r.Context().Done(): // the viewer has gone, or the server ends
		case <-h.ended:
		}
		out.write(encode("end", struct{}{}))
		return
	}
}

// writer writes what is seen at once, or gives up.
type writer struct {
	http.ResponseWriter
	control *http.ResponseController
}

func (w writer) write(text []byte) bool {
	_ = w.control.SetWriteDeadline(time.Now().Add(patience)) // where it cannot be set, the server's own limit holds
	if _, err := w.Write(text); err != nil {
		return false
	}
	return w.control.Flush() == nil
}
