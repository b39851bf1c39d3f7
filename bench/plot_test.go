package main

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
)

// wellFormed fails unless text is XML with svg as its root.
func wellFormed(t *testing.T, text string) {
	t.Helper()
	decoder := xml.NewDecoder(strings.NewReader(text))
	root := ""
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		if start, ok := token.(xml.StartElement); ok && root == "" {
			root = start.Name.Local
		}
	}
	if root != "svg" {
		t.Errorf("the root is %q\n%s", root, text)
	}
}

func TestPlot(t *testing.T) {
	svg := plot(madeUp().panels())
	wellFormed(t, svg)
	for _, want := range []string{"entries in the tree", "seconds", "prefers-color-scheme: dark", "squashfuse", "ostree checkout -H"} {
		if !strings.Contains(svg, want) {
			t.Errorf("no %q in the plot", want)
		}
	}
	if n := strings.Count(svg, "NaN") + strings.Count(svg, "Inf"); n > 0 {
		t.Errorf("%d numbers that are none:\n%s", n, svg)
	}
}

func TestPlotOfNothing(t *testing.T) { wellFormed(t, plot([]panel{{title: `a < b & "c"`}})) }

func TestAxes(t *testing.T) {
	a := newAxes([]panel{{curves: []curve{{points: []point{{5000, 0.008}, {500000, 30}}}}}})
	if want := (axes{3, 6, -3, 2}); a != want {
		t.Fatalf("%+v, want %+v", a, want)
	}
	if x, y := a.place(point{1000, 100}); x != 0 || y != 0 {
		t.Errorf("the corner is at %v, %v", x, y)
	}
	if x, y := a.place(point{1e6, 0.001}); x != panelWidth || y != panelHeight {
		t.Errorf("the other corner is at %v, %v", x, y)
	}
}
