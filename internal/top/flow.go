package top

import "time"

// Flow is messages that go one way, counted between two pictures.
type flow struct{ messages, bytes uint64 }

func (f *flow) add(messages, each uint64) {
	f.messages += messages
	f.bytes += messages * each
}

// less is the flow without so many of its messages, which did not get there; they are taken for messages of mean size.
func (f flow) less(missed uint64) flow {
	if missed >= f.messages {
		return flow{}
	}
	return flow{messages: f.messages - missed, bytes: f.bytes - f.bytes/f.messages*missed}
}

func (f flow) rate(over time.Duration) Rate {
	if over <= 0 {
		return Rate{}
	}
	return Rate{Messages: float64(f.messages) / over.Seconds(), Bytes: float64(f.bytes) / over.Seconds()}
}

// Traffic is what goes in and out of one Ksock.
type traffic struct {
	out, in flow
	all     uint64 // messages that it has missed, as it was reported last
	known   bool
	lately  uint64 // those of them that are new
	once    bool   // it gets one copy of a message at most

	before int       // of the Requests that it has to answer, so many may be older than what we have seen,
	since  time.Time // and at least as old as this
}

// missed takes note of a report.
func (t *traffic) missed(all uint64) {
	if t.known && all > t.all {
		t.lately += all - t.all
	}
	t.all, t.known = all, true
}
