// Package stream sends every viewer of the page what is to be seen, as server-sent events. Each update is encoded once for all
// viewers. A viewer has a queue with a limit: one that does not keep up is sent the short form of updates, and then none, and is
// told exactly how many updates and messages it has not been shown. Nobody waits for it.
package stream

import (
	"bytes"
	"encoding/json"
)

// Update is what the viewers are sent at a moment.
type Update struct {
	full, short []byte // short has the counts only; nil: there is nothing to leave out
	messages    uint64 // that are in full alone
}

// New makes an update that is an event of a kind. The values must be what encoding/json can encode. If short is not nil it is what a viewer
// gets that does not keep up, and lacks so many messages.
func New(event string, full, short any, messages int) Update {
	f := Update{full: encode(event, full), messages: uint64(messages)}
	if short != nil {
		f.short = encode(event, short)
	}
	return f
}

func encode(event string, v any) []byte {
	text, err := json.Marshal(v)
	if err != nil {
		panic("web: an event that cannot be encoded: " + err.Error()) // they are all our own
	}
	var b bytes.Buffer
	b.Grow(len(event) + len(text) + 16)
	b.WriteString("event: " + event + "\ndata: ")
	b.Write(text)
	b.WriteString("\n\n")
	return b.Bytes()
}
