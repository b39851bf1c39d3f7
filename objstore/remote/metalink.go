package remote

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"deployfs/objstore/fetch"
)

const summaryName = "summary"

// metalink is what a document of that kind, of version 3, says of one file.
type metalink struct {
	size           uint64
	sha256, sha512 string // in hex
	known          bool   // a hash of a kind that we have
	urls           []string
}

// followMetalink returns the base URL of the first place of a metalink that has the summary which the
// metalink is about, and that summary.
func followMetalink(ctx context.Context, c fetch.Config, address string) (base string, summary []byte, err error) {
	document, err := fetch.Address(ctx, c, address, maxMetadata)
	if err != nil {
		return "", nil, err
	}
	m, err := parseMetalink(document, summaryName)
	if err != nil {
		return "", nil, err
	}
	for _, place := range m.urls {
		if summary, err = fetch.Address(ctx, c, place, maxMetadata); err == nil {
			err = m.check(summary)
		}
		if err == nil {
			base, _, err = fetch.Split(place)
			return base, summary, err
		}
		if ctx.Err() != nil {
			return "", nil, context.Cause(ctx)
		}
	}
	return "", nil, fmt.Errorf("Exhausted %d metalink targets, last error: %w", len(m.urls), err)
}

// check compares a file with what the metalink says of it.
func (m *metalink) check(data []byte) error {
	if uint64(len(data)) != m.size {
		return fmt.Errorf("Expected size is %d bytes but content is %d bytes", m.size, len(data))
	}
	want, got := m.sha512, ""
	if want != "" {
		sum := sha512.Sum512(data)
		got = hex.EncodeToString(sum[:])
	} else {
		sum := sha256.Sum256(data)
		want, got = m.sha256, hex.EncodeToString(sum[:])
	}
	if got != want {
		return fmt.Errorf("Expected checksum is %s but actual is %s", want, got)
	}
	return nil
}

// parseMetalink reads what a document says of the file of a name.
func parseMetalink(document []byte, name string) (*metalink, error) {
	p := metalinkParser{xml: xml.NewDecoder(bytes.NewReader(document)), want: name}
	if err := p.run(); err != nil {
		return nil, err
	}
	switch {
	case !p.anyFile:
		return nil, errors.New("No <file> element found")
	case !p.ourFile:
		return nil, fmt.Errorf("No <file name='%s'> found", name)
	case p.found.sha256 == "" && p.found.sha512 == "":
		return nil, errors.New("No <verification> hash for sha256 or sha512 found")
	case p.found.sha256 != "" && !isHex(p.found.sha256, sha256.Size):
		return nil, errors.New("Invalid hash digest for sha256")
	case p.found.sha512 != "" && !isHex(p.found.sha512, sha512.Size):
		return nil, errors.New("Invalid hash digest for sha512")
	case len(p.found.urls) == 0:
		return nil, errors.New("No <url method='http'> elements found")
	}
	return &p.found, nil
}

func isHex(text string, size int) bool {
	b, err := hex.DecodeString(text)
	return err == nil && len(b) == size && text == strings.ToLower(text)
}

// metalinkParser goes through a document. Elements that it does not know are passed over.
type metalinkParser struct {
	xml  *xml.Decoder
	want string

	path             []string // of the elements around
	hash, protocol   string   // attributes of the innermost element
	text             strings.Builder
	anyFile, ourFile bool
	inFile           bool // in the one that is wanted
	found            metalink
}

func (p *metalinkParser) run() error {
	for {
		token, err := p.xml.Token()
		switch t := token.(type) {
		case xml.StartElement:
			err = p.start(t)
		case xml.CharData:
			if len(p.path) == 0 && len(bytes.TrimSpace(t)) > 0 {
				return errors.New("Error on line 1 char 1: Document must begin with an element (e.g. <book>)")
			}
			p.text.Write(t)
		case xml.EndElement:
			p.end()
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// maxNested is how deep elements may be in each other.
const maxNested = 100

func (p *metalinkParser) start(t xml.StartElement) error {
	if p.path = append(p.path, t.Name.Local); len(p.path) > maxNested {
		return p.at("elements are nested too deep")
	}
	p.text.Reset()
	switch strings.Join(p.path, "/") {
	case filePath:
		p.anyFile = true
		p.inFile = !p.ourFile && attribute(t, "name") == p.want
		p.ourFile = p.ourFile || p.inFile
	case hashPath:
		p.hash = attribute(t, "type")
	case urlPath:
		p.protocol = attribute(t, "protocol")
		switch {
		case p.inFile && p.found.size == 0:
			return p.at("No <size> element found or it is zero")
		case p.inFile && !p.found.known:
			return p.at("No <verification> element with known <hash type=> found")
		}
	}
	return nil
}

const (
	filePath = "metalink/files/file"
	sizePath = filePath + "/size"
	hashPath = filePath + "/verification/hash"
	urlPath  = filePath + "/resources/url"
)

func (p *metalinkParser) end() {
	at, text := strings.Join(p.path, "/"), strings.TrimSpace(p.text.String())
	p.path = p.path[:len(p.path)-1]
	p.text.Reset()
	switch {
	case at == filePath:
		p.inFile = false
	case !p.inFile:
	case at == sizePath:
		p.found.size, _ = strconv.ParseUint(text, 10, 63)
	case at == hashPath && p.hash == "sha256":
		p.found.sha256, p.found.known = text, true
	case at == hashPath && p.hash == "sha512":
		p.found.sha512, p.found.known = text, true
	case at == urlPath && isHTTP(p.protocol) && len(p.found.urls) < maxMirrors:
		if u, err := url.Parse(text); err == nil && isHTTP(u.Scheme) && u.Host != "" {
			p.found.urls = append(p.found.urls, text)
		}
	}
}

func (p *metalinkParser) at(what string) error {
	line, column := p.xml.InputPos()
	return fmt.Errorf("Error on line %d char %d: %s", line, column, what)
}

func isHTTP(scheme string) bool { return slices.Contains([]string{"http", "https"}, scheme) }

func attribute(t xml.StartElement, name string) string {
	for _, a := range t.Attr {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}
