// Package docs keeps the manual true where a program can tell.
package docs

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	"kbus.example/kbus/message"
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
	syscall.EPERM: "EPERM", syscall.ENOENT: "ENOENT", syscall.ESRCH: "ESRCH", syscall.EBADF: "EBADF", syscall.EAGAIN: "EAGAIN", syscall.ENOMEM: "ENOMEM",
	syscall.EFAULT: "EFAULT", syscall.EBUSY: "EBUSY", syscall.EINVAL: "EINVAL", syscall.ENFILE: "ENFILE", syscall.ENOTTY: "ENOTTY",
	syscall.EPIPE: "EPIPE", syscall.ENAMETOOLONG: "ENAMETOOLONG", syscall.ENOLCK: "ENOLCK", syscall.ENOMSG: "ENOMSG",
	syscall.EBADMSG: "EBADMSG", syscall.EMSGSIZE: "EMSGSIZE", syscall.EADDRINUSE: "EADDRINUSE",
	syscall.EADDRNOTAVAIL: "EADDRNOTAVAIL", syscall.ENOBUFS: "ENOBUFS", syscall.ENOTCONN: "ENOTCONN",
	syscall.ESHUTDOWN: "ESHUTDOWN", syscall.ECONNREFUSED: "ECONNREFUSED", syscall.EALREADY: "EALREADY",
	syscall.EDQUOT: "EDQUOT", syscall.ECANCELED: "ECANCELED", syscall.EHOSTUNREACH: "EHOSTUNREACH",
	syscall.EEXIST: "EEXIST", syscall.ESTALE: "ESTALE", syscall.ENOTUNIQ: "ENOTUNIQ", syscall.EACCES: "EACCES",
}

func errnoName(e syscall.Errno) string {
	if name, ok := errnoNames[e]; ok {
		return name
	}
	return fmt.Sprintf("unknown errno %d", int(e))
}

// Every page that a page refers to exists, and so does the heading in it.
func TestLinksLeadSomewhere(t *testing.T) {
	var files []string
	for _, pattern := range []string{"../*.md", "*.md", "spec/*.md"} {
		found, err := filepath.Glob(pattern)
		if err != nil || len(found) == 0 {
			t.Fatalf("no pages %s: %v", pattern, err)
		}
		files = append(files, found...)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, part := range strings.Split(string(text), "](")[1:] {
			link, _, _ := strings.Cut(part, ")")
			link, heading, _ := strings.Cut(link, "#")
			if strings.Contains(link, "://") {
				continue
			}
			to := file
			if link != "" {
				to = filepath.Join(filepath.Dir(file), link)
			}
			page, err := os.ReadFile(to)
			if info, dir := os.Stat(to); err != nil && (dir != nil || !info.IsDir()) {
				t.Errorf("%s refers to %s, which is not there", file, link)
			}
			if heading != "" && !slices.Contains(headings(string(page)), heading) {
				t.Errorf("%s refers to %s#%s, which is not there", file, link, heading)
			}
		}
	}
}

var inBackticks = regexp.MustCompile("`([a-z]+(?:/[a-z_]+)+(?:\\.[a-z]+)?|[a-z_]+\\.go)`")

// Every file and directory that the page on the design names in backticks exists. One that belongs to the room of its line may be named without
// the path of that room.
func TestDesignNamesFilesThatAreThere(t *testing.T) {
	page, err := os.ReadFile("design.md")
	if err != nil {
		t.Fatal(err)
	}
	paths := inBackticks.FindAllStringSubmatch(string(page), -1)
	if len(paths) < 60 {
		t.Errorf("only %d paths: the search is wrong", len(paths))
	}
	ends := map[string]bool{} // of all paths
	err = filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if d != nil && d.IsDir() && d.Name() == ".git" {
			return filepath.SkipDir
		}
		for end := filepath.ToSlash(path); end != ""; _, end, _ = strings.Cut(end, "/") {
			ends[end] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range paths {
		if !ends[m[1]] {
			t.Errorf("design.md names %s, which is not there", m[1])
		}
	}
}

var notInLinks = regexp.MustCompile(`[^\p{L}\p{N} _-]`)

// headings are those of a page, as links name them.
func headings(page string) (names []string) {
	for _, line := range strings.Split(page, "\n") {
		if title := strings.TrimLeft(line, "#"); title != line {
			title = notInLinks.ReplaceAllString(strings.ToLower(strings.TrimSpace(title)), "")
			names = append(names, strings.ReplaceAll(title, " ", "-"))
		}
	}
	return names
}
