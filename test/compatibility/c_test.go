package compatibility

import (
	"debug/elf"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// The binary interface of the C library is recorded: functions, their parameters, and what the headers show of structs. A program that
// was linked with this version must run with later ones of the same soname.

var newABI = flag.Bool("abi", false, "record the binary interface of the C library anew")

const abi = "testdata/libkbus.abi"

// library makes the C library, with what a debugger would want to know.
func library(t *testing.T) string {
	t.Helper()
	if _, err := exec.LookPath("gcc"); err != nil {
		t.Skip("no C compiler: ", err)
	}
	dir := t.TempDir()
	if out, err := exec.Command("make", "-s", "-C", top+"/bindings/c", "OUT="+dir, "CFLAGS=-O1 -g", dir+"/libkbus.so").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return filepath.Join(dir, "libkbus.so.1")
}

// TestSymbols has the library export what is recorded and nothing else.
func TestSymbols(t *testing.T) {
	file, err := elf.Open(library(t))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	symbols, err := file.DynamicSymbols()
	if err != nil {
		t.Fatal(err)
	}
	var exported, known []string
	for _, s := range symbols {
		if s.Section != elf.SHN_UNDEF {
			exported = append(exported, s.Name)
		}
	}
	text, err := os.ReadFile(abi)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`<elf-symbol name='(\w+)'`).FindAllStringSubmatch(string(text), -1) {
		known = append(known, m[1])
	}
	slices.Sort(exported)
	slices.Sort(known)
	if !slices.Equal(exported, known) {
		t.Errorf("the library exports\n%s\nand recorded are\n%s", strings.Join(exported, " "), strings.Join(known, " "))
	}
}

// TestBinaryInterface asks libabigail whether a program would notice the difference.
func TestBinaryInterface(t *testing.T) {
	if runtime.GOARCH != "amd64" {
		t.Skip("the interface is recorded as of amd64")
	}
	if _, err := exec.LookPath("abidiff"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("abidiff is missing: test/needs installs it")
		}
		t.Skip("abidiff is missing: apt-get install abigail-tools")
	}
	made, headers := library(t), top+"/bindings/c/include"
	if *newABI {
		c := exec.Command("abidw", "--no-show-locs", "--no-corpus-path", "--no-comp-dir-path", "--no-elf-needed",
			"--headers-dir", headers, "--drop-private-types", "--out-file", abi, made)
		if out, err := c.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	out, err := exec.Command("abidiff", "--headers-dir2", headers, "--drop-private-types", abi, made).CombinedOutput()
	switch onlyMore := strings.Count(string(out), " 0 Removed, 0 Changed") == 2; {
	case err == nil:
	case onlyMore:
		t.Errorf("there are new functions: record them with go test ./test/compatibility -run TestBinaryInterface -abi\n%s", out)
	default:
		t.Errorf("programs that are linked with the library may not run any more: give it another soname, or undo this (%v)\n%s", err, out)
	}
}
