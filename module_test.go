package kbus_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Another module uses the library through a replace line, with nothing from the network.
func TestFromAnotherModule(t *testing.T) {
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, content := range map[string]string{
		"go.mod": "module elsewhere\n\ngo 1.26\n\nrequire kbus v0.0.0\n\nreplace kbus => " + here + "\n",
		"main.go": `package main

import (
	"context"
	"fmt"

	"kbus"
)

func main() {
	bus := kbus.NewBus()
	defer bus.Close()
	k, err := bus.Open()
	if err != nil {
		panic(err)
	}
	k.Bind("$.Hello", kbus.Listener)
	k.Send(context.Background(), kbus.Announcement("$.Hello", "from elsewhere"))
	fmt.Println(k.Next())
}
`,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	run := exec.Command("go", "run", ".")
	run.Dir = dir
	run.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOPROXY=off", "GONOSUMDB=*", "GOWORK=off")
	out, err := run.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	got, want := string(out), "<Announcement '$.Hello', id=[0:1], from=1, data='from elsewhere'> <nil>\n"
	if got != want {
		t.Error(got)
	}
}
