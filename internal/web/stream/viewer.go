package stream

// A viewer's queue. The lock of the Hub guards it.

const (
	mostUpdates = 128     // in a queue; from half of it on a viewer gets short forms
	mostBytes   = 4 << 20 // likewise
)

// Lost is what a viewer has not been shown since it came, because it was too slow.
type Lost struct {
	Updates  uint64 `json:"updates"`
	Messages uint64 `json:"messages"` // that were in those, or that a short form left out
}

type viewer struct {
	queue    [][]byte
	bytes    int
	lost     Lost
	reported Lost          // as much of it as the viewer has been sent
	wake     chan struct{} // there is something in the queue
}

func newViewer() *viewer { return &viewer{wake: make(chan struct{}, 1)} }

// push queues an update, its short form, or nothing.
func (v *viewer) push(f Update) {
	text := f.full
	short := f.short != nil && (2*len(v.queue) >= mostUpdates || 2*(v.bytes+len(text)) > mostBytes)
	if short {
		text = f.short
	}
	fits := len(v.queue) < mostUpdates && v.bytes+len(text) <= mostBytes
	if short || !fits {
		v.lost.Messages += f.messages
	}
	if !fits {
		v.lost.Updates++
		return
	}
	v.queue = append(v.queue, text)
	v.bytes += len(text)
	select {
	case v.wake <- struct{}{}:
	default:
	}
}

// pop takes what is to be written next: a notice of what was lost before anything else. It is nil when there is nothing.
func (v *viewer) pop() []byte {
	if v.lost != v.reported {
		v.reported = v.lost
		return encode("lost", v.lost)
	}
	if len(v.queue) == 0 {
		return nil
	}
	text := v.queue[0]
	v.queue[0] = nil
	v.queue = v.queue[1:]
	v.bytes -= len(text)
	return text
}
