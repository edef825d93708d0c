package packages

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// repository is a git repository with nothing but a VERSION and the program that is tested.
type repository struct {
	t   *testing.T
	dir string
}

func newRepository(t *testing.T) *repository {
	t.Helper()
	r := &repository{t, t.TempDir()}
	program, err := os.ReadFile(filepath.Join(top, "dist/version"))
	if err != nil {
		t.Fatal(err)
	}
	r.run("mkdir dist; git init -q; git config user.name Nobody; git config user.email nobody@example.org")
	if err := os.WriteFile(filepath.Join(r.dir, "dist/version"), program, 0o755); err != nil {
		t.Fatal(err)
	}
	return r
}

func (r *repository) run(command string) string {
	r.t.Helper()
	c := exec.Command("sh", "-ec", command)
	c.Dir = r.dir
	out, err := c.CombinedOutput()
	if err != nil {
		r.t.Fatalf("%s: %v\n%s", command, err, out)
	}
	return strings.TrimSpace(string(out))
}

// release changes VERSION and says so in a commit; commit is one of anything.
func (r *repository) release(version string) {
	r.run("echo " + version + " >VERSION; git add .; git commit -qm 'Version " + version + "'")
}
func (r *repository) commit() { r.run("git commit -q --allow-empty -m more") }
func (r *repository) tag()    { r.run("git tag v$(cat VERSION)") }

// versions are what dist/version says as history goes on: from before the first release, over it, to one that is no patch.
func versions(t *testing.T) (deb, semver, pep440 []string) {
	r := newRepository(t)
	note := func() {
		deb = append(deb, r.run("dist/version deb"))
		semver = append(semver, "v"+r.run("dist/version semver"))
		pep440 = append(pep440, r.run("dist/version pep440"))
	}
	r.release("1.4.0")
	note()
	r.tag()
	note()
	for range 11 { // ten comes after nine
		r.commit()
	}
	note()
	r.commit()
	note()
	r.release("1.4.1")
	r.tag()
	note()
	r.release("1.5.0")
	note()
	r.tag()
	note()
	return deb, semver, pep440
}

// TestVersions has versions between releases sort between them for everybody who sorts: dpkg, rpm, Go, Python.
func TestVersions(t *testing.T) {
	deb, semver, pep440 := versions(t)
	t.Log(deb, semver, pep440)
	if !strings.HasPrefix(deb[2], "1.4.1~11.g") || !strings.HasPrefix(pep440[2], "1.4.1.dev11+g") || deb[1] != "1.4.0" {
		t.Errorf("eleven commits after %s it is %s, %s", deb[1], deb[2], pep440[2])
	}
	ordered := func(who string, list []string, program string, args ...string) {
		t.Helper()
		for i := 1; i < len(list); i++ {
			c := exec.Command(program, append(args, list[i-1], list[i])...)
			c.Dir = top
			if out, err := c.CombinedOutput(); err != nil {
				t.Errorf("for %s %s is not before %s: %v %s", who, list[i-1], list[i], err, out)
			}
		}
	}
	known := func(program string) bool {
		_, err := exec.LookPath(program)
		if err != nil && os.Getenv("CI") == "true" {
			t.Errorf("%s is missing: test/needs packages installs it", program)
		} else if err != nil {
			t.Logf("%s is missing, and not asked", program)
		}
		return err == nil
	}
	if known("dpkg") {
		ordered("dpkg", deb, "sh", "-c", `dpkg --compare-versions "$0" lt "$1"`)
	}
	if known("rpm") {
		ordered("rpm", deb, "sh", "-c", `test "$(rpm --eval "%{lua:print(rpm.vercmp('$0', '$1'))}")" = -1`)
	}
	ordered("Go", semver, "go", "run", "-modfile=dist/packages/tools.mod", "./test/packages/testdata/semver")
	if known("python3") {
		ordered("Python", pep440, "python3", "-c", "import sys\ntry: from packaging.version import Version\n"+
			"except ImportError: from pip._vendor.packaging.version import Version\nsys.exit(not Version(sys.argv[1]) < Version(sys.argv[2]))")
	}
}

// TestVersionElsewhere asks in a tree with changes, and in ones without git.
func TestVersionElsewhere(t *testing.T) {
	r := newRepository(t)
	r.release("1.4.0")
	r.tag()
	r.run("echo >>dist/version")
	if got := r.run("dist/version"); !strings.HasPrefix(got, "1.4.1~0.g") || !strings.HasSuffix(got, ".dirty") {
		t.Errorf("with a change that is not committed: %s", got)
	}
	inside := r.run("mkdir unpacked; cp -r dist VERSION unpacked; cd unpacked; rm -rf .git; dist/version; SOURCE_DATE_EPOCH= dist/version epoch; date -r VERSION +%s")
	if f := strings.Fields(inside); len(f) != 3 || f[0] != "1.4.0" || f[1] != f[2] {
		t.Errorf("without git, in a tree of git: %s", inside)
	}
	tarball := r.run("cd unpacked; printf '1.4.1~3.gabcdef1\n1234567890\n' >.tarball-version; dist/version; dist/version semver; dist/version pep440; dist/version epoch")
	if tarball != "1.4.1~3.gabcdef1\n1.4.1-3.gabcdef1\n1.4.1.dev3+gabcdef1\n1234567890" {
		t.Errorf("in a tarball of make source: %s", tarball)
	}
}
