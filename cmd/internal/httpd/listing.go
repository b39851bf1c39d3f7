package httpd

import (
	"fmt"
	"html"
	"net/http"
	"os"
	"strings"
)

// serveListing sends the names in a directory.
func serveListing(w http.ResponseWriter, name, dir string) int {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return http.StatusInternalServerError
	}
	var b strings.Builder
	title := html.EscapeString(name)
	fmt.Fprintf(&b, "<html>\r\n<head><title>Index of %s</title></head>\r\n<body><h1>Index of %s</h1>\r\n<p>\r\n", title, title)
	for _, e := range entries {
		text := html.EscapeString(e.Name())
		fmt.Fprintf(&b, "<a href=\"%s\">%s</a><br>\r\n", text, text)
	}
	b.WriteString("</body>\r\n</html>\r\n")
	w.Header().Set("Content-Type", "text/html")
	_, _ = w.Write([]byte(b.String()))
	return http.StatusOK
}
