package test

import (
	"os/exec"
	"strings"
	"testing"
)

// compilers are those for machines of 32 bits, and of the other byte order. Debian has them all.
var compilers = []string{
	"gcc -m32", "arm-linux-gnueabihf-gcc", "mipsel-linux-gnu-gcc", "riscv64-linux-gnu-gcc", "s390x-linux-gnu-gcc",
}

// The library compiles for other machines, without a warning. That it works there is what make test-arch tries.
func TestOtherMachines(t *testing.T) {
	for _, compiler := range compilers {
		t.Run(strings.ReplaceAll(compiler, " ", ""), func(t *testing.T) {
			t.Parallel()
			if why := compiles(t, compiler); why != "" {
				t.Skipf("there is no %s here: %s", compiler, why)
			}
			dir := t.TempDir()
			said, err := exec.Command("make", "-s", "-C", "..", "OUT="+dir, "CC="+compiler, "CFLAGS=-O2", "EXTRA=-Werror",
				dir+"/libkbus.so", dir+"/libkbus.a", "driver").CombinedOutput()
			if err != nil {
				t.Errorf("%v\n%s", err, said)
			}
		})
	}
}

// compiles tells why a compiler cannot make a program; empty: it can.
func compiles(t *testing.T, compiler string) string {
	words := strings.Fields(compiler)
	c := exec.Command(words[0], append(words[1:], "-x", "c", "-o", t.TempDir()+"/program", "-")...)
	c.Stdin = strings.NewReader("#include <stdio.h>\nint main(void) { return puts(\"\") < 0; }\n")
	if out, err := c.CombinedOutput(); err != nil {
		return strings.TrimSpace(string(out) + err.Error())
	}
	return ""
}
