package process

import (
	"context"
	"testing"
	"time"

	"kbus.example/kbus"
)

// From the start of the daemon to the first message that somebody has received, in this process and in one that is
// started when the daemon is ready; and the memory of a daemon that has nothing to do. How long it takes is printed,
// not asserted; how much memory it takes does not depend on the weather.
func TestStart(t *testing.T) {
	const times = 15
	const mostIdle = 8 * mib
	var here, there durations
	var d *daemon
	for range times {
		d = startDaemon(t)
		k := d.open()
		firstMessage(patient(t), k, func(err error) { must(t, err) })
		here = append(here, time.Since(d.born))
		d.kill()

		d = startDaemon(t)
		hear[ready](d.cast("newcomer"))
		there = append(there, time.Since(d.born))
	}
	idle := d.memory()
	if idle.All > mostIdle {
		t.Errorf("an idle daemon has %v", idle)
	}
	publish(t, "start of kbusd to the first message", "%v", here)
	publish(t, "start of kbusd, then of a client, to its first message", "%v", there)
	publish(t, "memory of an idle kbusd", "%v", idle)
}

// newcomer sends itself a message and receives it.
func newcomer(p *part) {
	k := p.open()
	firstMessage(context.Background(), k, p.must)
	p.say(ready{uint32(k.ID())})
}

func firstMessage(ctx context.Context, k *kbus.Ksock, must func(error)) {
	must(k.Bind(ctx, "$.First", kbus.Listener))
	_, err := k.Send(ctx, kbus.Announcement("$.First", "word"))
	must(err)
	_, err = k.Receive(ctx)
	must(err)
}
