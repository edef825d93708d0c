package test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// sanitized is the library with one of gcc's sanitizers in it, and the flags for programs that use it.
func sanitized(t *testing.T, sanitizer string) (archive string, flags []string) {
	t.Helper()
	made(t, "libkbus.a")
	dir := t.TempDir()
	flags = []string{"-fsanitize=" + sanitizer, "-fno-sanitize-recover=all"}
	said, err := exec.Command("make", "-s", "-j2", "-C", "..", "OUT="+dir, "CFLAGS=-O1 -g", "EXTRA="+strings.Join(flags, " "),
		dir+"/libkbus.a").CombinedOutput()
	if err != nil {
		t.Skipf("gcc has no %s sanitizer here: %v\n%s", sanitizer, err, said)
	}
	return filepath.Join(dir, "libkbus.a"), flags
}

// Threads are in every function of a Ksock while another closes it. KBUS_C_ROUNDS says how often ("make stress": 10 000
// times).
func TestClosing(t *testing.T) {
	rounds, ok := os.LookupEnv("KBUS_C_ROUNDS")
	limit := time.Hour // and that of the whole test
	if !ok {
		rounds, limit = "40", hang
	}
	for _, sanitizer := range []string{"address,undefined", "thread"} {
		t.Run(sanitizer, func(t *testing.T) {
			t.Parallel()
			archive, flags := sanitized(t, sanitizer)
			program := compileWith(t, archive, "gcc", "closing.c", flags...)
			for _, rings := range []string{"on", "off"} {
				dir, stop := serve(t, nil)
				runWithin(t, limit, dir, rings, program, rounds)
				stop()
			}
		})
	}
}
