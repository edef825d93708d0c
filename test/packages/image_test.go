package packages

import (
	"archive/tar"
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"kbus.example/kbus"
)

// The sizes that docs/packages.md promises small machines.
const (
	mostDaemonBytes = 3_600_000 // kbusd for arm
	mostImageBytes  = 8_000_000 // the root of the image
)

// TestSizes builds the daemon for a small machine, as packages have it.
func TestSizes(t *testing.T) {
	dir := t.TempDir()
	out := filepath.Join(dir, "kbusd")
	sh(t, `GOARCH=arm GOARM=6 make -s "$1/kbusd" BIN="$1"`, dir)
	if info, err := os.Stat(out); err != nil || info.Size() > mostDaemonBytes {
		t.Errorf("kbusd for arm: %v, %d bytes; %d are the most", err, info.Size(), mostDaemonBytes)
	}
}

// TestImage runs the daemon of the image in it, as the user it says, and looks whether the archive is what it says.
func TestImage(t *testing.T) {
	needs(t)
	made := strings.Fields(sh(t, "dist/image"))
	root, archive := filepath.Join(top, made[0]), filepath.Join(top, made[1])
	if info, err := os.Stat(root); err != nil || info.Size() > mostImageBytes {
		t.Errorf("%v: the image's root has %d bytes; %d are the most", err, info.Size(), mostImageBytes)
	}
	dir := t.TempDir()
	sh(t, `tar -xpf "$1" -C "$2"; chmod 755 "$2"`, abs(t, root), dir)
	// What a runtime of containers gives: /dev, /proc, and the user. The mounts end with the process.
	daemon := exec.Command("unshare", "--mount", "--propagation", "private", "sh", "-ec", `cd "$0"; mkdir -p dev proc; mount -t proc proc proc
		cp -a /dev/null dev/; exec chroot --userspec 65532:65532 . /usr/bin/kbusd --dir /run/kbus --config /etc/kbus/kbusd.toml`, dir)
	said, err := daemon.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := daemon.Start(); err != nil {
		t.Fatal(err)
	}
	defer daemon.Wait()
	defer daemon.Process.Kill()
	var log strings.Builder
	for lines := bufio.NewScanner(said); !strings.Contains(log.String(), "buses are open"); log.WriteString(lines.Text() + "\n") {
		if !lines.Scan() {
			t.Fatalf("the daemon ends:\n%s", &log)
		}
	}
	if strings.Contains(log.String(), "WARN") {
		t.Errorf("the daemon lacks something:\n%s", &log)
	}
	ks, err := kbus.Open(t.Context(), 0, kbus.Dir(filepath.Join(dir, "run/kbus")))
	if err != nil {
		t.Fatal(err)
	}
	ks.Close()

	blobs := read(t, archive)
	var index struct{ Manifests []descriptor }
	blobs.json(t, "index.json", &index)
	var manifest struct {
		Config descriptor
		Layers []descriptor
	}
	blobs.json(t, index.Manifests[0].path(), &manifest)
	var config struct {
		Config struct{ User string }
		Rootfs struct {
			DiffIDs []string `json:"diff_ids"`
		}
	}
	blobs.json(t, manifest.Config.path(), &config)
	content, err := os.ReadFile(root)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(content)
	if want := "sha256:" + hex.EncodeToString(sum[:]); config.Rootfs.DiffIDs[0] != want || config.Config.User != "65532:65532" {
		t.Errorf("the image is of %v, not %s, for user %q", config.Rootfs.DiffIDs, want, config.Config.User)
	}
	for _, d := range append(manifest.Layers, manifest.Config, index.Manifests[0]) {
		if int64(len(blobs[d.path()])) != d.Size {
			t.Errorf("%s has %d bytes, not %d", d.path(), len(blobs[d.path()]), d.Size)
		}
	}
}

// archived are the files of an OCI archive. A blob is called by its digest.
type archived map[string][]byte

type descriptor struct {
	Digest string
	Size   int64
}

func (d descriptor) path() string { return "blobs/" + strings.Replace(d.Digest, ":", "/", 1) }

func read(t *testing.T, name string) archived {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	files := archived{}
	for r := tar.NewReader(f); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return files
		} else if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		files[h.Name] = b
		if sum := sha256.Sum256(b); strings.HasPrefix(h.Name, "blobs/sha256/") && len(b) > 0 && path.Base(h.Name) != hex.EncodeToString(sum[:]) {
			t.Errorf("%s is called by another's digest", h.Name)
		}
	}
}

func (a archived) json(t *testing.T, name string, into any) {
	t.Helper()
	if err := json.Unmarshal(a[name], into); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}
