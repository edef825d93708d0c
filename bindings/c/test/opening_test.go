package test

import (
	"os"
	"testing"
)

// A fork while a bus is being opened leaves nothing in the child; a close by another thread, or a signal handler, ends it.
func TestOpening(t *testing.T) {
	opening(t, compile(t, "gcc", "opening.c"), "100")
	for _, sanitizer := range []string{"address,undefined", "thread"} {
		t.Run(sanitizer, func(t *testing.T) {
			t.Parallel()
			archive, flags := sanitized(t, sanitizer)
			opening(t, compileWith(t, archive, "gcc", "opening.c", flags...), "10") // a fork takes long there
		})
	}
}

func opening(t *testing.T, program, rounds string) {
	t.Helper()
	for _, rings := range []string{"on", "off"} {
		dir, stop := serve(t, nil)
		own := shortDir(t)
		run(t, dir, rings, program, own, rounds)
		os.RemoveAll(own)
		stop()
	}
}
