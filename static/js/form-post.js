// Posts the answer that the page holds back to the client. Without scripts the person presses the button.
document.addEventListener("DOMContentLoaded", () => document.getElementById("answer").submit());
