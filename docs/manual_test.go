// Package docs keeps the manual true where a program can tell.
package docs

import (
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"

	"kbus/message"
)

// The table of conditions in the manual is the list in the code, in its order and its words.
func TestManualListsEveryCondition(t *testing.T) {
	page, err := os.ReadFile("manual.md")
	if err != nil {
		t.Fatal(err)
	}
	var table strings.Builder
	for _, c := range message.Conditions() {
		fmt.Fprintf(&table, "| `%s` | %s (%d) | %s |\n", c.Name(), errnoName(c.Errno()), c.Errno(), c.Error())
	}
	if !strings.Contains(string(page), table.String()) {
		t.Errorf("docs/manual.md should have:\n%s", table.String())
	}
}

var errnoNames = map[syscall.Errno]string{
	syscall.EPERM: "EPERM", syscall.ENOENT: "ENOENT", syscall.EBADF: "EBADF", syscall.EAGAIN: "EAGAIN", syscall.ENOMEM: "ENOMEM",
	syscall.EFAULT: "EFAULT", syscall.EBUSY: "EBUSY", syscall.EINVAL: "EINVAL", syscall.ENFILE: "ENFILE", syscall.ENOTTY: "ENOTTY",
	syscall.EPIPE: "EPIPE", syscall.ENAMETOOLONG: "ENAMETOOLONG", syscall.ENOLCK: "ENOLCK", syscall.ENOMSG: "ENOMSG",
	syscall.EBADMSG: "EBADMSG", syscall.EMSGSIZE: "EMSGSIZE", syscall.EADDRINUSE: "EADDRINUSE",
	syscall.EADDRNOTAVAIL: "EADDRNOTAVAIL", syscall.ENOBUFS: "ENOBUFS", syscall.ENOTCONN: "ENOTCONN",
	syscall.ESHUTDOWN: "ESHUTDOWN", syscall.ECONNREFUSED: "ECONNREFUSED", syscall.EALREADY: "EALREADY",
	syscall.EDQUOT: "EDQUOT", syscall.ECANCELED: "ECANCELED", syscall.EHOSTUNREACH: "EHOSTUNREACH",
	syscall.EEXIST: "EEXIST", syscall.ESTALE: "ESTALE", syscall.ENOTUNIQ: "ENOTUNIQ",
}

func errnoName(e syscall.Errno) string {
	if name, ok := errnoNames[e]; ok {
		return name
	}
	return fmt.Sprintf("unknown errno %d", int(e))
}

// Every page that a page refers to exists.
func TestLinksLeadSomewhere(t *testing.T) {
	pages, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	files := []string{"../README.md"}
	for _, p := range pages {
		if strings.HasSuffix(p.Name(), ".md") {
			files = append(files, p.Name())
		}
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		dir := strings.TrimSuffix(file, "README.md")
		if dir == file {
			dir = ""
		}
		for _, part := range strings.Split(string(text), "](")[1:] {
			link, _, _ := strings.Cut(part, ")")
			link, _, _ = strings.Cut(link, "#")
			if link == "" || strings.Contains(link, "://") {
				continue
			}
			if _, err := os.Stat(dir + link); err != nil {
				t.Errorf("%s refers to %s, which is not there", file, link)
			}
		}
	}
}
