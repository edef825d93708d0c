//go:build !interleave

package ring

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"unsafe"
)

// docs/protocol.md tells strangers where everything lies in a segment. This holds it to the code, word by word.
func TestDocumentedLayout(t *testing.T) {
	page, err := os.ReadFile("../../docs/protocol.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, found := strings.Cut(string(page), "\n## 15. Rings")
	if !found {
		t.Fatal("no section 15")
	}
	var c control
	var want strings.Builder
	tell := func(offset, bytes uintptr, name string) { fmt.Fprintln(&want, offset, bytes, name) }
	var l Layout
	tell(unsafe.Offsetof(l.Magic), unsafe.Sizeof(l.Magic), "magic")
	tell(unsafe.Offsetof(l.Version), unsafe.Sizeof(l.Version), "version")
	tell(unsafe.Offsetof(l.UpBytes), unsafe.Sizeof(l.UpBytes), "up.bytes")
	tell(unsafe.Offsetof(l.DownBytes), unsafe.Sizeof(l.DownBytes), "down.bytes")
	tell(unsafe.Offsetof(l.WindowBytes), unsafe.Sizeof(l.WindowBytes), "window.bytes")
	tell(unsafe.Offsetof(l.WindowSlots), unsafe.Sizeof(l.WindowSlots), "window.slots")
	for _, p := range []struct {
		at   uintptr
		name string
		w    *words
	}{
		{unsafe.Offsetof(c.upWords), "up", &c.upWords}, {unsafe.Offsetof(c.downWords), "down", &c.downWords},
	} {
		tell(p.at+unsafe.Offsetof(p.w.tail), unsafe.Sizeof(p.w.tail), p.name+".tail")
		tell(p.at+unsafe.Offsetof(p.w.skip), unsafe.Sizeof(p.w.skip), p.name+".skip")
		tell(p.at+unsafe.Offsetof(p.w.head), unsafe.Sizeof(p.w.head), p.name+".head")
		tell(p.at+unsafe.Offsetof(p.w.asleep), unsafe.Sizeof(p.w.asleep), p.name+".asleep")
		tell(p.at+unsafe.Offsetof(p.w.stranded), unsafe.Sizeof(p.w.stranded), p.name+".stranded")
	}
	var w windowWords
	at := unsafe.Offsetof(c.window)
	tell(at+unsafe.Offsetof(w.state), unsafe.Sizeof(w.state), "window.state")
	tell(at+unsafe.Offsetof(w.released), unsafe.Sizeof(w.released), "window.released")
	tell(at+unsafe.Offsetof(w.want), unsafe.Sizeof(w.want), "window.want")
	tell(at+unsafe.Offsetof(w.more), unsafe.Sizeof(w.more), "window.more")
	fmt.Fprintln(&want, controlBytes, fmt.Sprintf("`window.slots` x %d", slotBytes), "slots")

	var got strings.Builder
	row := regexp.MustCompile("(?m)^\\| (\\d+) \\| ([^|]+) \\| `([a-z.]+)` \\|")
	for _, m := range row.FindAllStringSubmatch(section, -1) {
		fmt.Fprintln(&got, m[1], m[2], m[3])
	}
	if got.String() != want.String() {
		t.Errorf("the page has\n%s\nthe code has\n%s", &got, &want)
	}
	if n := unsafe.Sizeof(c.window); at+n > controlBytes || unsafe.Sizeof(slot{}) != slotBytes {
		t.Errorf("the words end at %d, a slot has %d bytes", at+n, unsafe.Sizeof(slot{}))
	}
	if s := string([]byte{magic & 0xFF, magic >> 8 & 0xFF, magic >> 16 & 0xFF, magic >> 24}); s != "kbsg" || version != 2 {
		t.Errorf("magic %q, version %d", s, version)
	}
}
