package process

import (
	"os"
	"path/filepath"
	"testing"

	"kbus.example/kbus"
)

// tightLimits are just enough for those who are alive at a time. Whatever the daemon forgot to give back when one dies
// would add up and soon be a refusal.
const tightLimits = `
[limits]
user-connections = 100
user-bindings = 300
user-queue-bytes = "256 KiB"
user-buffer-bytes = "1 MiB"
`

// Thousands of connections come, bind, send, ask, and die: some close, some are cut off, some in the middle of a frame,
// some by kill -9 of their process. Nothing of them stays: no Ksock, binding or message, no descriptor, no memory, and
// nothing in the accounts of limits.
func TestCyclesLeaveNothing(t *testing.T) {
	const perProcess = 100
	config := filepath.Join(tempDir(t), "kbusd.toml")
	must(t, os.WriteFile(config, []byte(tightLimits), 0o644))
	d := startDaemon(t, "--config", config)
	o := d.observe()
	before, err := o.Info(t.Context())
	must(t, err)
	descriptors := d.descriptors()

	// The next is always there before the last one dies.
	last := d.cast("shortLived", perProcess)
	hear[ready](last)
	var early memory
	for cycles := perProcess; cycles < *cyclesFlag; cycles += perProcess {
		next := d.cast("shortLived", perProcess)
		hear[ready](next)
		last.kill()
		last = next
		if cycles <= *cyclesFlag/5 {
			early = d.memory()
		}
	}
	last.kill()

	now := eventually(t, o, func(i kbus.BusInfo) bool { return i.Connections == before.Connections })
	if int(now.NextKsock) != *cyclesFlag+1 {
		t.Errorf("after %d cycles the next Ksock is %d", *cyclesFlag, now.NextKsock)
	}
	before.NextKsock, before.NextSerial = now.NextKsock, now.NextSerial
	if now != before {
		t.Errorf("%+v is left, and before it was %+v", now, before)
	}
	for ctx := patient(t); d.descriptors() > descriptors && ctx.Err() == nil; { // the last are closed a moment later
	}
	if n := d.descriptors(); n > descriptors {
		t.Errorf("%d descriptors, and before it was %d", n, descriptors)
	}
	late := d.memory()
	if late.Own > early.Own+2*mib {
		t.Errorf("memory after a fifth of all cycles: %v; in the end: %v", early, late)
	}
	publish(t, "memory of the daemon after connections that died", "%v after %d, %v after %d",
		early, *cyclesFlag/5, late, *cyclesFlag)
}
