package web

import "io"

// againAfter is how many seconds a page in trouble waits before it loads again.
const againAfter = 10

// noticeView is a page that says one thing, with no order on it.
type noticeView struct {
	frameView
	Icon                   []string
	Tone, Headline, Detail string
	Again                  int // seconds until it loads again; 0: not by itself
}

// NotFoundPage writes what is shown for every order that there is not.
func NotFoundPage(w io.Writer, frame Frame) error {
	view := newFrameView(frame)
	return notice(w, noticeView{
		frameView: view, Icon: icons["question"], Tone: "neutral",
		Headline: view.Labels["missing"], Detail: view.Labels["missingDetail"],
	})
}

// TroublePage writes what is shown while nothing can be: the server has too much
// to do, or has lost its database. It loads itself again.
func TroublePage(w io.Writer, frame Frame) error {
	view := newFrameView(frame)
	return notice(w, noticeView{
		frameView: view, Icon: icons["alert"], Tone: "attention",
		Headline: view.Labels["unreachable"], Detail: view.Labels["unreachableDetail"], Again: againAfter,
	})
}

func notice(w io.Writer, view noticeView) error {
	view.Title = view.Headline
	return render(w, view.template("notice"), view)
}
