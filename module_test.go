package kbus_test

import (
	"archive/zip"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"kbus.example/kbus/internal/version"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// modulePath is what go.mod says, which make module may have changed.
func modulePath(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("go.mod")
	must(t, err)
	first, _, _ := strings.Cut(string(text), "\n")
	return strings.TrimPrefix(first, "module ")
}

// A program of another module uses the library: from a copy of the repository through a replace line, and as a packed
// version that go get takes from a proxy, with nothing else from the network.
func TestFromAnotherModule(t *testing.T) {
	path, packed := modulePath(t), "v"+version.Number
	here, err := os.Getwd()
	must(t, err)
	cache, err := exec.Command("go", "env", "GOMODCACHE").Output()
	must(t, err)
	seen := "file://" + strings.TrimSpace(string(cache)) + "/cache/download" // what our own build has fetched
	t.Run("replace", func(t *testing.T) {
		elsewhere(t, path, seen, "mod", "edit", "-require", path+"@v0.0.0", "-replace", path+"="+here)
	})
	t.Run("go get", func(t *testing.T) {
		proxy := t.TempDir()
		pack(t, filepath.Join(proxy, path, "@v"), path, packed)
		elsewhere(t, path, "file://"+proxy+","+seen, "get", path+"@"+packed)
	})
}

// elsewhere makes a module, has the go command depend on us as told, and runs the program in it.
func elsewhere(t *testing.T, path, proxy string, depend ...string) {
	t.Helper()
	dir := t.TempDir()
	for name, content := range map[string]string{
		"go.mod": "module elsewhere\n\ngo 1.26\n",
		"main.go": `package main

import (
	"context"
	"fmt"

	"` + path + `"
)

func main() {
	bus := kbus.NewBus()
	defer bus.Close()
	ctx := context.Background()
	k, err := bus.Open(ctx)
	if err != nil {
		panic(err)
	}
	k.Bind(ctx, "$.Hello", kbus.Listener)
	k.Send(ctx, kbus.Announcement("$.Hello", "from elsewhere"))
	fmt.Println(k.Next(ctx))
}
`,
	} {
		must(t, os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644))
	}
	modules := t.TempDir()
	command := func(words ...string) string {
		c := exec.Command("go", words...)
		c.Dir = dir
		c.Env = append(os.Environ(), "GOFLAGS=-mod=mod -modcacherw", "GOPROXY="+proxy, "GOSUMDB=off", "GOPRIVATE=", "GONOPROXY=",
			"GOWORK=off", "GOMODCACHE="+modules)
		out, err := c.CombinedOutput()
		if err != nil {
			t.Fatalf("go %v: %v\n%s", words, err, out)
		}
		return string(out)
	}
	command(depend...)
	got, want := command("run", "."), "<Announcement '$.Hello', id=[0:1], from=1, data='from elsewhere'> <nil>\n"
	if !strings.HasSuffix(got, want) {
		t.Error(got)
	}
}

// pack writes a version of this module as a proxy serves it: the files of other modules within it left out.
func pack(t *testing.T, dir, path, version string) {
	t.Helper()
	must(t, os.MkdirAll(dir, 0o755))
	mod, err := os.ReadFile("go.mod")
	must(t, err)
	must(t, os.WriteFile(filepath.Join(dir, version+".mod"), mod, 0o644))
	must(t, os.WriteFile(filepath.Join(dir, version+".info"), []byte(`{"Version":"`+version+`"}`), 0o644))
	f, err := os.Create(filepath.Join(dir, version+".zip"))
	must(t, err)
	defer f.Close()
	z := zip.NewWriter(f)
	must(t, filepath.WalkDir(".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if _, err := os.Stat(filepath.Join(name, "go.mod")); err == nil && name != "." || name == ".git" || name == "bin" {
				return filepath.SkipDir
			}
			return nil
		}
		if !entry.Type().IsRegular() || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		w, err := z.Create(path + "@" + version + "/" + filepath.ToSlash(name))
		if err != nil {
			return err
		}
		file, err := os.Open(name)
		if err != nil {
			return err
		}
		defer file.Close()
		_, err = io.Copy(w, file)
		return err
	}))
	must(t, z.Close())
}
