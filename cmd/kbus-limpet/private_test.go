package main

import (
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
)

// Keys, what a federation stores, and the place of an outlet are for nobody else, whatever the umask.
func TestPrivateStaysPrivate(t *testing.T) {
	dir := t.TempDir()
	daemon(t, dir, "--buses", "2")
	private := filepath.Join(dir, "private")
	succeeds(t, "mkdir", private)
	open := func(command ...string) []string {
		return append([]string{"sh", "-c", `umask 0; exec "$@"`, "sh"}, command...)
	}
	succeeds(t, open("kbus-limpet", "certs", private+"/certs", "--id", "1")...)
	succeeds(t, open("kbus-limpet", "nkey", private+"/nkey")...)
	start(t, nil, open("kbus-limpet", "serve", "--ordered", "--id", "1", "--inlet", "1", "--listen", "127.0.0.1:0", "--dir", dir,
		"--store", private+"/store", "--place", private+"/place")...).await("ordered from here")
	seen := 0
	must(t, filepath.WalkDir(private, func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == private || strings.HasSuffix(path, ".pem") { // certificates are public
			return err
		}
		seen++
		info, err := d.Info()
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v", path, info.Mode())
		}
		return err
	}))
	if seen < 10 {
		t.Errorf("only %d files were made", seen)
	}
}
