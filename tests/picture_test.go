package tests

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"
)

// picturePath is the picture of the explorer that README.md shows; DEPLOYFS_PICTURE=1 draws it anew.
const picturePath = "../cmd/deployfs/explore/testdata/explore.svg"

// TestExplorePicture holds that the picture shows the program as it is.
func TestExplorePicture(t *testing.T) {
	t.Parallel()
	s := openScreen(t, 80, pictureLines)
	var screens []string
	show := func() { screens = append(screens, s.tmux("capture-pane", "-p", "-e", "-N")) }
	s.run(binary(t, "deployfs"), "explore", "--repo="+demoRepo(t), "demo/os/x86_64")
	s.await("Demo OS 1.0")
	s.press("Space j j Space", "2 marked")
	show()
	s.press("d", "1/7")
	s.press("j j", "3/7")
	show()
	s.press("Enter", "+MaxAuthTries")
	show()
	s.press("q q", "log of")
	s.press("g t", "usr/")
	s.press("/ u s r Enter Enter", "bin/")
	s.press("/ b i n Enter Enter", "-rwsr-xr-x")
	show()
	s.keys("Q")
	s.clean(0)
	got := picture(80, pictureLines, screens...)
	if os.Getenv("DEPLOYFS_PICTURE") != "" {
		if err := os.WriteFile(picturePath, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if want, err := os.ReadFile(picturePath); err != nil || got != string(want) {
		t.Errorf("%s shows another screen than the program (make picture draws it anew): %v\n%s", picturePath, err, strings.Join(screens, "\n"))
	}
}

const pictureLines = 11 // of each screen

const (
	cellWidth, cellHeight = 8, 17 // of a letter, in the picture's units
	pictureGap            = 12    // around each screen
)

// pictureColours are those of SGR 30 to 37.
var pictureColours = []string{"#3b4252", "#e06c75", "#98c379", "#e5c07b", "#61afef", "#c678dd", "#56b6c2", "#d8dee9"}

const pictureGround, pictureText = "#1e222a", "#d8dee9"

// picture draws screens, one below the other, as an SVG image.
func picture(width, height int, screens ...string) string {
	var b strings.Builder
	w := width*cellWidth + 4*pictureGap
	h := height*cellHeight + 2*pictureGap
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" font-family="ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace" font-size="13.3" xml:space="preserve">`+"\n",
		w, len(screens)*(h+pictureGap)+pictureGap, w)
	for i, text := range screens {
		y := pictureGap + i*(h+pictureGap)
		fmt.Fprintf(&b, `<rect x="%d" y="%d" width="%d" height="%d" rx="6" fill="%s"/>`+"\n", pictureGap, y, w-2*pictureGap, h, pictureGround)
		for n, line := range strings.Split(text, "\n") {
			drawLine(&b, 2*pictureGap, y+pictureGap+n*cellHeight, line)
		}
	}
	b.WriteString("</svg>\n")
	return b.String()
}

var sgrSequence = regexp.MustCompile(`\x1b\[([0-9;]*)m`)

// pen is how text is drawn.
type pen struct {
	colour             string
	bold, dim, reverse bool
}

// drawLine draws a line of text with SGR sequences, every run of one look in its exact place.
func drawLine(b *strings.Builder, x, y int, line string) {
	p := pen{colour: pictureText}
	for line != "" {
		at := sgrSequence.FindStringSubmatchIndex(line)
		text := line
		if at != nil {
			text = line[:at[0]]
		}
		p.draw(b, x, y, text)
		x += utf8.RuneCountInString(text) * cellWidth
		if at == nil {
			break
		}
		p.set(line[at[2]:at[3]])
		line = line[at[1]:]
	}
}

// set follows an SGR sequence.
func (p *pen) set(codes string) {
	for code := range strings.SplitSeq(codes, ";") {
		n, _ := strconv.Atoi(code)
		switch {
		case n == 0:
			*p = pen{colour: pictureText}
		case n == 1:
			p.bold = true
		case n == 2:
			p.dim = true
		case n == 7:
			p.reverse = true
		case n >= 30 && n <= 37:
			p.colour = pictureColours[n-30]
		case n == 39:
			p.colour = pictureText
		}
	}
}

func (p *pen) draw(b *strings.Builder, x, y int, text string) {
	if !p.reverse { // whether blanks behind it were ever written is the terminal's business
		text = strings.TrimRight(text, " ")
	}
	if text == "" {
		return
	}
	length := utf8.RuneCountInString(text) * cellWidth
	fill, more := p.colour, ""
	if p.reverse {
		fmt.Fprintf(b, `<rect x="%d" y="%d" width="%d" height="%d" fill="%s"/>`+"\n", x, y, length, cellHeight, p.colour)
		fill = pictureGround
	}
	if p.bold {
		more = ` font-weight="bold"`
	}
	if p.dim {
		more += ` opacity="0.6"`
	}
	text = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(text)
	fmt.Fprintf(b, `<text x="%d" y="%d" textLength="%d" fill="%s"%s>%s</text>`+"\n", x, y+cellHeight-4, length, fill, more, text)
}

// TestPicture holds what the picture is made of.
func TestPicture(t *testing.T) {
	got := strings.Split(picture(10, 1, "\x1b[1;33ma<\x1b[0m  \x1b[7mc\x1b[27m"), "\n")
	for _, want := range []string{
		`<text x="24" y="37" textLength="16" fill="#e5c07b" font-weight="bold">a&lt;</text>`,
		`<rect x="56" y="24" width="8" height="17" fill="#d8dee9"/>`, `<text x="56" y="37" textLength="8" fill="#1e222a">c</text>`,
	} {
		if !slices.Contains(got, want) {
			t.Errorf("no %s in\n%s", want, strings.Join(got, "\n"))
		}
	}
}
