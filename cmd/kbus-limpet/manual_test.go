package main

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The blocks of docs/limpets.md that are to be pasted do what they say when they are.

// block is the first one with these words.
func block(t *testing.T, words ...string) string {
	t.Helper()
	page, err := os.ReadFile("../../docs/limpets.md")
	must(t, err)
	for _, paragraph := range strings.Split(string(page), "\n\n") {
		if strings.HasPrefix(paragraph, "    ") && hasAll(paragraph, words) {
			return paragraph
		}
	}
	t.Fatalf("the manual has no block with %q", words)
	return ""
}

// paste runs it in a shell, elsewhere than the manual says, and gives what it prints.
func paste(t *testing.T, text string) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "bowls") // names of sockets are short
	must(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	text = strings.NewReplacer("/tmp/bowls", dir, "127.0.0.1:4222", freeAddress(t)).Replace(text)
	printed, err := os.Create(filepath.Join(t.TempDir(), "printed"))
	must(t, err)
	defer printed.Close()
	log, err := os.Create(filepath.Join(t.TempDir(), "log"))
	must(t, err)
	defer log.Close()
	shell := exec.Command("sh", "-c", text)
	shell.Stdout, shell.Stderr = printed, log
	shell.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	must(t, shell.Start())
	defer syscall.Kill(-shell.Process.Pid, syscall.SIGKILL) // what it has put into the background
	late := time.AfterFunc(patience, func() { _ = syscall.Kill(-shell.Process.Pid, syscall.SIGKILL) })
	defer late.Stop()
	err = shell.Wait()
	logged, _ := os.ReadFile(printed.Name())
	if err != nil {
		complaints, _ := os.ReadFile(log.Name())
		t.Fatalf("%v\n%s\n%s", err, logged, complaints)
	}
	return string(logged)
}

// freeAddress is one that nobody listens at.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer l.Close()
	return l.Addr().String()
}

func TestFirstBlock(t *testing.T) {
	if logged := paste(t, block(t, "kbus-limpet pair --listen", "kbus ask")); !strings.Contains(logged, fmt.Sprint(time.Now().Year())) {
		t.Errorf("%q is no date", logged)
	}
}

func TestSecureInTwoCommands(t *testing.T) {
	logged := paste(t, block(t, "kbus-limpet serve", "kbus ask"))
	if !strings.Contains(logged, fmt.Sprint(time.Now().Year())) || !strings.Contains(logged, "limpets.nkeys") {
		t.Errorf("%q: no date, or no file", logged)
	}
}
