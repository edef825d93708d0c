package metrics

import (
	"time"

	"kbus.example/kbus"
)

// Requests are measured from when the bus has them until their Reply or Status is sent: what the Replier takes, and the
// time in its queue.

type requests struct {
	open   map[asked]request
	askers map[kbus.KsockID]int // how many of them each Ksock has sent
}

// asked is what a Request is known by: a sender may choose the id that another's has.
type asked struct {
	id kbus.ID
	by kbus.KsockID
}

type request struct {
	name    string
	replier kbus.KsockID
	sent    time.Time
	boot    time.Duration
}

func newRequests() requests {
	return requests{open: map[asked]request{}, askers: map[kbus.KsockID]int{}}
}

// mostOpen bounds the memory. Beyond it Requests are counted, but not measured.
const mostOpen = 100_000

// note takes note of an event. If it answers a Request, duration is how long that has taken, and otherwise less than 0.
func (r *requests) note(e *kbus.Event) (name string, duration time.Duration) {
	switch {
	case e.Err != nil:
	case e.Event == kbus.EventSent && e.IsRequest():
		if len(r.open) < mostOpen {
			key := asked{e.ID, e.By.Ksock}
			if _, there := r.open[key]; !there { // else the one before has been answered unseen
				r.askers[key.by]++
			}
			r.open[key] = request{e.Message.Name, e.Replier, e.Time, e.SinceBoot}
		}
	case e.Event == kbus.EventClosed:
		r.gone(e.By.Ksock)
	case e.Event == kbus.EventTaken:
		key := asked{e.ID, e.From}
		if q, there := r.open[key]; there {
			q.replier = e.By.Ksock // which a standby may have become
			r.open[key] = q
		}
	case e.Event == kbus.EventStatus, e.Event == kbus.EventSent && e.IsReply():
		key := asked{e.InReplyTo, e.To}
		if q, there := r.open[key]; there {
			r.end(key)
			return q.name, max(e.SinceBoot-q.boot, 0)
		}
	}
	return "", -1
}

func (r *requests) end(key asked) {
	delete(r.open, key)
	if r.askers[key.by]--; r.askers[key.by] <= 0 {
		delete(r.askers, key.by)
	}
}

// gone forgets what a Ksock asked that has closed: nobody waits for it, and its Reply is refused.
func (r *requests) gone(asker kbus.KsockID) {
	if r.askers[asker] == 0 {
		return
	}
	for key := range r.open {
		if key.by == asker {
			r.end(key)
		}
	}
}

// oldest is how long each Replier has owed the answer that it has owed longest.
func (r *requests) oldest(now time.Time) map[kbus.KsockID]time.Duration {
	all := map[kbus.KsockID]time.Duration{}
	for _, q := range r.open {
		all[q.replier] = max(all[q.replier], now.Sub(q.sent))
	}
	return all
}

// doubt forgets what is open: whether it still is cannot be known.
func (r *requests) doubt() { clear(r.open); clear(r.askers) }
