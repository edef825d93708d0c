package ordered

import (
	"context"
	"encoding/json"

	"kbus.example/kbus"
	"kbus.example/kbus/message"
)

// What the stream has lost before the outlet got it is announced there, so that its Listeners know.

// lostName is the Announcement that reports a loss to Listeners.
const lostName = "$.KBUS.Federation.Lost"

// gone announces entries that the stream has no more.
func (out *outlet) gone(ctx context.Context, first, n uint64) error {
	out.figures.lost.Add(n)
	out.Log.Error("the outlet was too far behind, and the stream has no more what comes next", "sequence", first, "lost", n)
	if err := out.announceLoss(ctx, lostNews{Lost: n}); err != nil {
		return err
	}
	out.doubtful = false
	out.reached(first+n-1, 0)
	return nil
}

// lostNews is the data of the Announcement.
type lostNews struct {
	Stream   string `json:"stream"`
	Lost     uint64 `json:"lost"`               // entries of the stream
	Messages uint64 `json:"messages,omitempty"` // or messages of an entry that the bus did not take
}

func (out *outlet) announceLoss(ctx context.Context, news lostNews) error {
	news.Stream = StreamName(out.Federation)
	data, err := json.Marshal(news)
	if err != nil {
		return err
	}
	m := kbus.Announcement(lostName, data)
	m.Flags |= message.AllOrWait
	return out.send(ctx, m)
}
