package remote

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"deployfs/objstore"
	"deployfs/objstore/refs"
)

// Cookie is what a remote's server is shown with each request. A remote's cookies are lines of a
// file NAME.cookies.txt in the repository, in the format of cookies.txt of old browsers.
type Cookie struct {
	Domain, Path, Name, Value string
	Subdomains                bool   // hosts below the domain are shown it, too
	Secure                    string // TRUE or FALSE
	Expires                   time.Time
}

// cookieYears is how long a new cookie counts.
const cookieYears = 25

func (c Cookie) line() string {
	below := "FALSE"
	if strings.HasPrefix(c.Domain, ".") {
		below = "TRUE"
	}
	return strings.Join([]string{c.Domain, below, c.Path, c.Secure, strconv.FormatInt(c.Expires.Unix(), 10), c.Name, c.Value}, "\t") + "\n"
}

// parseCookie reads a line; words of it are separated by blanks of any kind, as ostree has it.
func parseCookie(line string) (Cookie, bool) {
	f := strings.Fields(line)
	if len(f) < 7 {
		return Cookie{}, false
	}
	expires, err := strconv.ParseUint(f[4], 10, 63)
	return Cookie{Domain: f[0], Subdomains: f[1] == "TRUE" || strings.HasPrefix(f[0], "."), Path: f[2], Secure: f[3], Expires: time.Unix(int64(expires), 0), Name: f[5], Value: f[6]}, err == nil
}

// Cookies lists the cookies of a remote. Lines that are none are passed over.
func Cookies(repo *objstore.Repo, remote string) (list []Cookie, err error) {
	text, err := readCookies(repo, remote)
	for line := range strings.Lines(text) {
		if c, ok := parseCookie(line); ok {
			list = append(list, c)
		}
	}
	return list, err
}

// AddCookie gives a remote a cookie.
func AddCookie(repo *objstore.Repo, remote string, c Cookie) error {
	for _, word := range []string{c.Domain, c.Path, c.Name, c.Value} {
		if word == "" || strings.ContainsAny(word, " \t\n\v\f\r") {
			return fmt.Errorf("cookie: %q is empty or has blanks, which the file can't hold", word)
		}
	}
	text, err := readCookies(repo, remote)
	if err != nil {
		return err
	}
	c.Secure, c.Expires = "FALSE", time.Now().UTC().AddDate(cookieYears, 0, 0)
	return repo.Rewrite(jar(remote), []byte(text+c.line()))
}

// DeleteCookie takes the cookies of a name for a domain and path from a remote.
func DeleteCookie(repo *objstore.Repo, remote, domain, path, name string) error {
	text, err := readCookies(repo, remote)
	if err != nil {
		return err
	}
	found := false
	var left strings.Builder
	for line := range strings.Lines(text) {
		if c, ok := parseCookie(line); ok && c.Domain == domain && c.Path == path && c.Name == name {
			found = true
			continue
		}
		left.WriteString(line)
	}
	if !found {
		return errors.New("Cookie not found in jar")
	}
	return repo.Rewrite(jar(remote), []byte(left.String()))
}

func jar(remote string) string { return remote + ".cookies.txt" }

// readCookies is the text of a remote's jar; one that is not there is empty.
func readCookies(repo *objstore.Repo, remote string) (string, error) {
	if !refs.IsFragment(remote) {
		return "", fmt.Errorf("Invalid remote name %s", remote)
	}
	path := filepath.Join(repo.Path(), jar(remote))
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", nil
	case err != nil:
		return "", err
	case info.Size() > maxFile:
		return "", fmt.Errorf("%s: %d bytes", path, info.Size())
	}
	data, err := os.ReadFile(path)
	text := string(data)
	if text != "" && !strings.HasSuffix(text, "\n") {
		text += "\n"
	}
	return text, err
}
