import './panel.css';
import './foot.css';
import './markdown.css';
import './results.css';
import './lab.css';
