import { AlertDialog } from "@base-ui/react/alert-dialog";

export interface Question {
  title: string;
  /** What will happen, and what cannot be taken back. */
  text: string;
  /** On the button that does it. */
  verb: string;
}

/** Asks before something that ends or loses something. */
export function Confirm(props: {
  question: Question;
  open: boolean;
  setOpen: (open: boolean) => void;
  agreed: () => void;
}) {
  const { question, open, setOpen, agreed } = props;
  return (
    <AlertDialog.Root open={open} onOpenChange={setOpen}>
      <AlertDialog.Portal>
        <AlertDialog.Backdrop className="backdrop" />
        <AlertDialog.Popup className="dialog">
          <AlertDialog.Title className="dialog-title">{question.title}</AlertDialog.Title>
          <AlertDialog.Description className="dialog-text">{question.text}</AlertDialog.Description>
          <div className="row end">
            <AlertDialog.Close className="button">Cancel</AlertDialog.Close>
            <AlertDialog.Close className="button danger" onClick={agreed}>
              {question.verb}
            </AlertDialog.Close>
          </div>
        </AlertDialog.Popup>
      </AlertDialog.Portal>
    </AlertDialog.Root>
  );
}
