package fetch

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
)

var (
	errRedirects = errors.New("too many redirects")
	errDowngrade = errors.New("redirect from https")
)

// StatusError is a server's refusal. One that says that there is no such file is fs.ErrNotExist.
type StatusError struct {
	URL    string
	Status int // of HTTP
}

func (e *StatusError) Error() string {
	return fmt.Sprintf("While fetching %s: Server returned HTTP %d", e.URL, e.Status)
}

// Is makes the error one of those of io/fs.
func (e *StatusError) Is(target error) bool {
	return target == fs.ErrNotExist && (e.Status == http.StatusForbidden || e.Status == http.StatusNotFound || e.Status == http.StatusGone)
}

// SizeError says that a file is larger than it may be.
type SizeError struct {
	URL   string
	Limit int64 // in bytes
}

func (e *SizeError) Error() string {
	return fmt.Sprintf("URI %s exceeded maximum size of %d bytes", e.URL, e.Limit)
}

// TransferError says that no answer came, or not the whole of it, in libcurl's words.
type TransferError struct {
	URL  string
	Code int   // libcurl's
	Err  error // what happened
}

func (e *TransferError) Error() string {
	return fmt.Sprintf("While fetching %s: [%d] %s", e.URL, e.Code, words[e.Code])
}

func (e *TransferError) Unwrap() error { return e.Err }

// Hint says what happened where libcurl's words for it are few.
func (e *TransferError) Hint() string {
	switch e.Code {
	case codeTLS, codeCertificate, codeProxy, codeScheme, codeRange, codeRequest:
		return innermost(e.Err)
	}
	return ""
}

// innermost is what an error says without the request around it.
func innermost(err error) string {
	if outer := (*url.Error)(nil); errors.As(err, &outer) {
		err = outer.Err
	}
	return err.Error()
}

// libcurl's codes.
const (
	codeScheme      = 1
	codeProxyHost   = 5
	codeHost        = 6
	codeConnect     = 7
	codeShort       = 18
	codeTimeout     = 28
	codeRange       = 33
	codeTLS         = 35
	codeFile        = 37
	codeRequest     = 43
	codeRedirects   = 47
	codeNothing     = 52
	codeReceive     = 56
	codeCertificate = 60
	codeProxy       = 97
)

var words = map[int]string{
	codeScheme:      "Unsupported protocol",
	codeProxyHost:   "Couldn't resolve proxy name",
	codeHost:        "Couldn't resolve host name",
	codeConnect:     "Couldn't connect to server",
	codeShort:       "Transferred a partial file",
	codeTimeout:     "Timeout was reached",
	codeRange:       "Requested range was not delivered by the server",
	codeTLS:         "SSL connect error",
	codeFile:        "Couldn't read a file:// file",
	codeRequest:     "A libcurl function was given a bad argument",
	codeRedirects:   "Number of redirects hit maximum amount",
	codeNothing:     "Server returned nothing (no headers, no data)",
	codeReceive:     "Failure when receiving data from the peer",
	codeCertificate: "SSL peer certificate or SSH remote key was not OK",
	codeProxy:       "proxy handshake error",
}

// explain puts what failed into libcurl's words. An end that the caller wanted is not among them.
func explain(err error, place string) error {
	if errors.Is(err, context.Canceled) && !errors.Is(err, errStalled) {
		return err
	}
	return &TransferError{URL: place, Code: code(err), Err: err}
}

func code(err error) int {
	var dns *net.DNSError
	var op *net.OpError
	var timeout interface{ Timeout() bool }
	isOp := errors.As(err, &op)
	switch {
	case errors.Is(err, errStalled):
		return codeTimeout
	case errors.Is(err, errRedirects):
		return codeRedirects
	case errors.Is(err, errDowngrade), strings.Contains(err.Error(), "unsupported protocol scheme"), strings.Contains(err.Error(), "malformed HTTP"):
		return codeScheme
	case badRequest(err):
		return codeRequest
	case errors.As(err, new(*os.PathError)):
		return codeFile
	case isOp && op.Op == "proxyconnect" && errors.As(err, &dns):
		return codeProxyHost
	case errors.As(err, &dns):
		return codeHost
	case errors.As(err, &timeout) && timeout.Timeout():
		return codeTimeout
	case badCertificate(err):
		return codeCertificate
	case badHandshake(err):
		return codeTLS
	case isOp && (op.Op == "dial" || op.Op == "proxyconnect"):
		return codeConnect
	case isOp && strings.HasPrefix(op.Op, "socks"):
		return codeProxy
	case errors.Is(err, io.ErrUnexpectedEOF):
		return codeShort
	case errors.Is(err, io.EOF), strings.Contains(err.Error(), "server closed idle connection"):
		return codeNothing
	}
	return codeReceive
}

// badRequest reports whether net/http refuses to send the request.
func badRequest(err error) bool {
	text := innermost(err)
	return strings.HasPrefix(text, "net/http: invalid header field") || strings.HasPrefix(text, "http: invalid Host header")
}

func badCertificate(err error) bool {
	return errors.As(err, new(*tls.CertificateVerificationError)) || errors.As(err, new(x509.UnknownAuthorityError)) ||
		errors.As(err, new(x509.HostnameError)) || errors.As(err, new(x509.CertificateInvalidError))
}

func badHandshake(err error) bool {
	return errors.As(err, new(tls.RecordHeaderError)) || errors.As(err, new(tls.AlertError)) ||
		strings.Contains(err.Error(), "tls: ") || strings.Contains(err.Error(), "server gave HTTP response to HTTPS client")
}

// passes reports whether an error may be gone at the next try.
func passes(err error) bool {
	var status *StatusError
	var transfer *TransferError
	switch {
	case errors.As(err, &status):
		return status.Status == http.StatusRequestTimeout || status.Status == http.StatusInternalServerError
	case errors.As(err, &transfer):
		switch transfer.Code {
		case codeScheme, codeFile, codeRedirects, codeTLS, codeCertificate, codeRange, codeRequest:
			return false
		}
		return true
	}
	return false
}
