package web

import (
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
)

// A token is what everybody has to know who may look. Browsers ask for it by themselves, as a password with whatever user name;
// programs send it as a bearer token.

// fewestBytes of a token: so many that nobody finds it by trying.
const fewestBytes = 16

// ReadToken reads a token from a file. Everything but spaces and line breaks around it counts.
func ReadToken(file string) (string, error) {
	info, err := os.Stat(file)
	if err != nil {
		return "", err
	}
	if info.Mode().Perm()&0o004 != 0 {
		return "", fmt.Errorf("%s can be read by everybody on this machine: chmod 600 %s", file, file)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	token := strings.TrimSpace(string(text))
	if len(token) < fewestBytes {
		return "", fmt.Errorf("the token in %s has %d bytes, and needs %d at least: openssl rand -hex 16 >%s makes one",
			file, len(token), fewestBytes, file)
	}
	return token, nil
}

func wantToken(c Config, next http.Handler) http.Handler {
	want := sha256.Sum256([]byte(c.Token)) // of one length, whatever is compared with it
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, sent, isBasic := r.BasicAuth()
		if !isBasic {
			sent, _ = strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		}
		got := sha256.Sum256([]byte(sent))
		if slices.Contains(c.Doors, r.URL.Path) || subtle.ConstantTimeCompare(got[:], want[:]) == 1 {
			next.ServeHTTP(w, r)
			return
		}
		w.Header().Set("WWW-Authenticate", `Basic realm="KBUS: the token is the password", charset="UTF-8"`)
		http.Error(w, "the token is missing or wrong: it is in the file that --token-file names, and goes into the password, "+
			"or into a header: Authorization: Bearer TOKEN", http.StatusUnauthorized)
	})
}
