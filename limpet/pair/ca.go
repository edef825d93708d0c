package pair

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// An authority of one's own is a key and a certificate that it has signed itself. It lies beside the certificates that
// it has signed, which is fine for trying out; where it matters, keep its key elsewhere.

const (
	authorityName = "authority"
	certSuffix    = ".pem"
	keySuffix     = ".key"
	validFor      = 5 * 365 * 24 * time.Hour
)

// MakeCertificates makes certificates and keys for Limpets with those network ids, in a directory that it makes too.
// The authority is the one that lies there, or a new one. It gives the paths of the files that it has written, and does
// not overwrite any.
func MakeCertificates(dir string, ids []uint32) (written []string, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	name := filepath.Join(dir, authorityName)
	if _, err := os.Stat(name + keySuffix); errors.Is(err, fs.ErrNotExist) {
		paths, err := makePair(name, authorityTemplate(), nil)
		if written = append(written, paths...); err != nil {
			return written, err
		}
	}
	authority, err := tls.LoadX509KeyPair(name+certSuffix, name+keySuffix)
	if err != nil {
		return written, err
	}
	for _, id := range ids {
		paths, err := makePair(filepath.Join(dir, nameOf(id)), limpetTemplate(id), &authority)
		if written = append(written, paths...); err != nil {
			return written, err
		}
	}
	return written, nil
}

func authorityTemplate() *x509.Certificate {
	return &x509.Certificate{
		Subject:               pkix.Name{CommonName: "KBUS Limpets"},
		IsCA:                  true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
}

func limpetTemplate(id uint32) *x509.Certificate {
	return &x509.Certificate{
		Subject:     pkix.Name{CommonName: nameOf(id)},
		DNSNames:    []string{nameOf(id), anyName},
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
}

// makePair makes a key and its certificate, signed by the authority or, if that is nil, by itself.
func makePair(name string, template *x509.Certificate, by *tls.Certificate) (written []string, err error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template.NotBefore = time.Now().Add(-time.Hour) // clocks differ
	template.NotAfter = time.Now().Add(validFor)
	parent, signer := template, any(key)
	if by != nil {
		parent, signer = by.Leaf, by.PrivateKey
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		return nil, err
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	for _, f := range []struct {
		path, kind string
		mode       fs.FileMode
		bytes      []byte
	}{
		{name + keySuffix, "PRIVATE KEY", 0o600, secret},
		{name + certSuffix, "CERTIFICATE", 0o644, cert},
	} {
		if err := writeNew(f.path, f.mode, pem.EncodeToMemory(&pem.Block{Type: f.kind, Bytes: f.bytes})); err != nil {
			return written, err
		}
		written = append(written, f.path)
	}
	return written, nil
}

// writeNew writes a file that must not be there yet.
func writeNew(path string, mode fs.FileMode, b []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	return errors.Join(err, f.Close())
}
