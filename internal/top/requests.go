package top

import (
	"time"

	"kbus.example/kbus"
	"kbus.example/kbus/internal/requests"
)

// Requests without an answer (package requests). Events may be lost, and an answer with them: then the report tells that who asked
// waits for nothing any more.

const reconcileAfter = time.Second // events are later than the report by less

// reconcile drops what a report says is no longer open.
func reconcile(open requests.Open, r *Report) {
	waiting := map[kbus.KsockID]bool{}
	for _, k := range r.Ksocks {
		waiting[k.Ksock] = k.Outstanding > 0 || k.Sending
	}
	for id, q := range open {
		if !waiting[q.By.Ksock] && r.Time.Sub(q.Sent) > reconcileAfter {
			delete(open, id)
		}
	}
}
